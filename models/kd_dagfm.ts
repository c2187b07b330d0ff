import { ShapeError, detach, mean, mul, scale, sub } from '../engine/index.js';
import { fieldEmbeddings } from './layers.js';
import { dagFm } from './layers/dag.js';
import { teacherNetwork } from './layers/teachers.js';
import { defineModel, option } from './model.js';

const phases = ['teacher_training', 'distillation', 'finetuning'];

/**
 * Directed acyclic graph factorization machine, taught by a larger network.
 *
 *   h₀ = C · [v₁ … v_F],  h_{l+1} = h₀ ⊙ flow_l(h_l),  z = w · [Σ_d h₀ … Σ_d h_L] + b,
 *   flow_l(h)_s = Σ_{f≤s} ⟨p_fs, h_f⟩ · q_fs (outer) or Σ_{f≤s} p_fs ⊙ h_f (inner)
 *
 * Phases: the teacher learns with the embeddings; the student alone learns from it, loss α · loss + β · (z_teacher − z)²;
 * the student learns with the embeddings. Each but the first begins with the weights of the one before.
 */
export const kdDagFm = defineModel({
  name: 'KD_DAGFM',
  paper:
    'Tian et al., Directed Acyclic Graph Factorization Machines for CTR Prediction via Knowledge Distillation, WSDM 2023',
  config: {
    teacher: option('CrossNet', 'the teacher: CrossNet or CIN'),
    phase: option('teacher_training', 'teacher_training, distillation or finetuning'),
    type: option('outer', 'what flows along an edge of the student: outer or inner'),
    t_depth: option(3, 'layers of a CrossNet'),
    depth: option(3, 'layers of the student'),
    alpha: option(0.1, 'weight of the loss of the labels while distilling'),
    beta: option(921.6, 'weight of the distance to the logits of the teacher while distilling'),
    warm_up: option('', 'checkpoint or weights of the phase before, which all but the first need'),
    t_cin: option([200, 200, 200], 'widths of the layers of a CIN'),
  },

  initialWeights: ({ phase, warm_up }) => (phase === phases[0] || warm_up === '' ? null : warm_up),

  build(b, { teacher: name, phase, type, t_depth, depth, alpha, beta, warm_up, t_cin }) {
    if (!phases.includes(phase)) {
      throw new ShapeError(`phase: "${phase}" is none of ${phases.join(', ')}; give one of them`);
    }
    if (type !== 'outer' && type !== 'inner') {
      throw new ShapeError(`type: "${type}" is neither outer nor inner; give one of them`);
    }
    if (phase !== phases[0] && warm_up === '') {
      throw new ShapeError(`phase: ${phase} begins with the weights of another; give them as warm_up`);
    }
    const embed = fieldEmbeddings(b);
    const student = dagFm(b, 'student_network', depth, type === 'outer');
    const taught = teacherNetwork(b, name, { depth: t_depth, widths: t_cin });

    if (phase === 'teacher_training') return (batch) => taught(embed(batch)); // logits [B,K]
    if (phase === 'finetuning') return (batch) => student(embed(batch));
    return (batch) => {
      if (!b.tape.training) return student(embed(batch));
      const e = detach(embed(batch)); // [B,F,D]
      const z = student(e);
      const apart = sub(z, detach(taught(e)));
      b.mixLoss(alpha, scale(mean(mul(apart, apart)), beta));
      return z;
    };
  },
});
