import type { Shape } from './shape.js';
import type { Run } from './tape.js';
import type { Tensor } from './tensor.js';

type Inputs<I extends string> = { readonly [K in I]: Tensor };
type Saved<S extends string> = { readonly [K in S]: Tensor };
/** `dx` for an input `x`; undefined where nobody needs it. */
type InputGradients<I extends string> = { readonly [K in I as `d${K}`]?: Tensor };

/** What an op is: see STYLE "One op, one name". */
export interface OpRules<I extends string, S extends string, A> {
  /** Base name of the file in shaders/, if it is not the op's name. */
  readonly shader?: string;
  /** The only place that validates; returns the output's shape. Throws ShapeError. */
  shape(t: Inputs<I>, attributes: A): Shape;
  /** Tensors that forward writes beside y and backward reads. */
  saves?(t: Inputs<I>, attributes: A): Readonly<Record<S, Shape>>;
  forward(t: Inputs<I> & Saved<S> & { readonly y: Tensor }, run: Run, attributes: A): void;
  /** Writes, never accumulates, each gradient that is defined. */
  backward(
    t: Inputs<I> & Saved<S> & InputGradients<I> & { readonly y: Tensor; readonly dy: Tensor },
    run: Run,
    attributes: A,
  ): void;
}

/** Traces one application: inputs in the order of the definition, then the attributes if the op has any. */
export type Op<N extends readonly string[], A> = (
  ...args: [...{ [K in keyof N]: Tensor }, ...(unknown extends A ? [] : [attributes: A])]
) => Tensor;

/**
 * Defines an op: `name` is the word that names its file, its shader, its entry points, its errors and its test;
 * `inputs` are the names under which rules see the input tensors.
 */
export function defineOp<const N extends readonly string[], S extends string = never, A = unknown>(
  name: string,
  inputs: N,
  rules: OpRules<N[number], S, A>,
): Op<N, A> {
  const shader = rules.shader ?? name;
  return (...args) => {
    const tensors = args.slice(0, inputs.length) as Tensor[];
    const attributes = args[inputs.length] as A;
    const { tape } = tensors[0];
    const t = Object.fromEntries(inputs.map((input, i) => [input, tensors[i]])) as Inputs<N[number]>;
    const y = tape.activation(
      name,
      rules.shape(t, attributes),
      'f32',
      tensors.some((tensor) => tensor.needsGrad),
    );
    const shapes = Object.entries(rules.saves?.(t, attributes) ?? {}) as [S, Shape][];
    const saved = Object.fromEntries(
      shapes.map(([key, shape]) => [key, tape.activation(`${name}.${key}`, shape)]),
    ) as Saved<S>;
    const noRows = () => {
      throw new Error(`${name}: forward has no row gradients`);
    };
    const results = [y, ...Object.values<Tensor>(saved)];
    const run = tape.runner(name, shader, tape.forward, noRows, results);
    rules.forward({ ...t, ...saved, y }, run, attributes);
    tape.record({
      op: name,
      shader,
      inputs: tensors,
      output: y,
      backward(dy, run) {
        const gradients = tensors.map((x, i) =>
          x.needsGrad ? tape.activation(`${name}.d${inputs[i]}`, x.shape) : undefined,
        );
        const d = Object.fromEntries(inputs.map((input, i) => [`d${input}`, gradients[i]]));
        const all = { ...t, ...saved, ...(d as InputGradients<N[number]>), y, dy };
        rules.backward(all as Parameters<typeof rules.backward>[0], run, attributes);
        return gradients;
      },
    });
    return y;
  };
}
