import {
  concat,
  fieldLinear,
  linear,
  mul,
  reshape,
  size,
  sum,
  transpose,
  xavierNormal,
  type Initializer,
  type Tensor,
} from '../../engine/index.js';
import { dense, eachField, fieldCount } from '../layers.js';
import type { Builder } from '../model.js';

const identity: Initializer = (shape) =>
  Float32Array.from({ length: size(shape) }, (_, i) => (i % (shape[1] + 1) === 0 ? 1 : 0));

/** w [F,S,D] → [S,D,F]. */
function fieldsLast(w: Tensor): Tensor {
  const [fields, states, dim] = w.shape;
  return reshape(transpose(reshape(w, [fields, states * dim])), [states, dim, fields]);
}

/** w [F,S,D] → [D,S,F]. */
function reversed(w: Tensor): Tensor {
  const [fields, states, dim] = w.shape;
  return transpose(reshape(transpose(reshape(w, [fields * states, dim])), [dim, fields, states]));
}

/** Weights [F,S,D] of the edges f → s, f ≤ s, of an acyclic graph of fields; the others are 0. */
function edges(w: Tensor): Tensor {
  const [fields, states, dim] = w.shape;
  const kept = Float32Array.from({ length: size(w.shape) }, (_, i) =>
    Math.floor(i / (states * dim)) <= Math.floor(i / dim) % states ? 1 : 0,
  );
  return mul(w, w.tape.constant('edges', [fields, states, dim], kept));
}

/** What flows into each field: h [B,F,D] → [B,F,D]; Σ_{f≤s} p_fs ⊙ h_f, or with q Σ_{f≤s} ⟨p_fs, h_f⟩ · q_fs. */
function propagate(h: Tensor, p: Tensor, q?: Tensor): Tensor {
  if (q === undefined) return transpose(fieldLinear(transpose(h), reversed(edges(p))));
  const terms = fieldLinear(h, edges(p)); // [B,f,s]
  return fieldLinear(transpose(terms), fieldsLast(q));
}

/**
 * Directed acyclic graph factorization machine `name`: e [B,F,D] → logits [B,K] from the sums of all states
 * h_0 = C · e, h_{l+1} = h_0 ⊙ flow(h_l). Tian et al. 2023, eq. 5-11.
 */
export function dagFm(b: Builder, name: string, depth: number, outer: boolean): (e: Tensor) => Tensor {
  const fields = fieldCount(b.schema);
  const connect = b.parameter(`${name}.connect_layer`, [fields, fields], identity);
  const weights = (letter: string) =>
    Array.from({ length: depth }, (_, l) =>
      b.parameter(`${name}.${letter}.${l}`, [fields, fields, b.embeddingSize], xavierNormal(1.414)),
    );
  const p = weights('p');
  const q = outer ? weights('q') : [];
  const head = dense(b, `${name}.linear`, fields * (depth + 1), b.classes);
  const connected = eachField((x) => linear(x, connect));
  return (e) => {
    const first = transpose(connected(transpose(e))); // [B,F,D]
    const states = [first];
    p.forEach((weight, l) => states.push(mul(first, propagate(states[l], weight, q[l]))));
    const sums = states.map((state) => sum(state, 2)); // [B,F] each
    return head(concat(sums, 1));
  };
}
