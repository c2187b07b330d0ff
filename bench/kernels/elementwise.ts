import {
  add,
  batchNorm,
  complexExp,
  complexLog,
  complexUnit,
  concat,
  constant,
  dropout,
  layerNorm,
  leakyRelu,
  mean,
  mul,
  relu,
  reluDropout,
  resize,
  rowNormalize,
  scale,
  sigmoid,
  sigmoidDropout,
  softmax,
  sub,
  sum,
  tanh,
  transpose,
  zeros,
  type Tape,
  type Tensor,
} from '../../engine/index.js';
import type { KernelCase } from '../launch.js';
import { bothOf, type CaseSizes, type OpCase } from './op_case.js';

/** y = f(x) over [B,N]; gradients read x or y, which are of one size. */
function unaryCases({ batch, columns }: CaseSizes): OpCase[] {
  const x = [batch, columns];
  const all: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    relu,
    leaky_relu: (x) => leakyRelu(x, 0.01),
    sigmoid,
    tanh,
    relu_dropout: (x) => reluDropout(x, 0.5),
    sigmoid_dropout: (x) => sigmoidDropout(x, 0.5),
  };
  const linear: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    scale: (x) => scale(x, 2),
    dropout: (x) => dropout(x, 0.5),
  };
  const cases = (rules: typeof all, more: Partial<OpCase>) =>
    Object.entries(rules).map(([name, f]): OpCase => ({
      name,
      inputs: { x },
      build: ({ x }) => f(x),
      ...more,
    }));
  return [...cases(all, {}), ...cases(linear, { reads: [] })];
}

/** Two operands, the second one of the same shape or repeated over the first. */
function binaryCases({ batch, columns }: CaseSizes): OpCase[] {
  const x = [batch, columns];
  const operands = { '': x, ' a scalar': [1], ' a row': [columns], ' a column': [batch, 1] };
  return Object.entries({ add, sub, mul }).flatMap(([op, rule]) =>
    Object.entries(operands).map(([what, b]): OpCase => {
      // The gradient of a sum by x is dy, where it is, and so is that of a + b by b.
      const ofSum = { reads: [], writes: op === 'add' && b === x ? [] : [b] };
      const inputs = { x, b };
      return { name: op + what, inputs, ...(op !== 'mul' && ofSum), build: ({ x, b }) => rule(x, b) };
    }),
  );
}

/** Sums over everything and over the fields of a row, whose gradients read dy alone. */
function sumCases({ batch, fields, dim, columns }: CaseSizes): OpCase[] {
  const [x, e] = [
    [batch, columns],
    [batch, fields, dim],
  ];
  const rules = { sum, mean };
  return Object.entries(rules).flatMap(([name, rule]): OpCase[] => [
    { name, inputs: { x }, reads: [], build: ({ x }) => rule(x) },
    { name: `${name} of fields`, inputs: { e }, reads: [], build: ({ e }) => rule(e, 1) },
    { name: `${name} of rows`, inputs: { e }, reads: [], build: ({ e }) => rule(e, 2) },
  ]);
}

/** Rows or columns brought to a common size. */
function normCases({ batch, fields, dim, columns }: CaseSizes): OpCase[] {
  const x = [batch, columns];
  const perColumn = [columns];
  const graph = [batch, fields, fields];
  const norm = ({ x, weight, bias }: Readonly<Record<string, Tensor>>, tape: Tape) =>
    batchNorm(x, weight, bias, {
      runningMean: tape.state('mean', perColumn, zeros),
      runningVar: tape.state('var', perColumn, constant(1)),
    });
  const normed = { inputs: { x, weight: perColumn, bias: perColumn }, build: norm };
  return [
    { name: 'batch_norm', ...normed, keeps: [[3, columns]], reads: [x, perColumn] },
    { name: 'batch_norm, evaluation', ...normed, keeps: [[2, columns]], evaluation: true },
    {
      name: 'layer_norm',
      inputs: { x: [batch, fields * dim] },
      keeps: [[batch]],
      build: ({ x }) => layerNorm(x),
    },
    { name: 'row_normalize', inputs: { x }, keeps: [[batch]], build: ({ x }) => rowNormalize(x) },
    { name: 'softmax', inputs: { graph }, build: ({ graph }) => softmax(graph) },
  ];
}

/** Polar forms of embeddings and back: real parts of a row, then imaginary ones. */
function complexCases({ batch, fields, dim }: CaseSizes): OpCase[] {
  const e = [batch, fields, dim];
  const x = [batch, 2, fields, dim];
  return [
    { name: 'complex_unit', inputs: { e }, reads: [x], build: ({ e }) => complexUnit(e) },
    { name: 'complex_log', inputs: { x }, build: ({ x }) => complexLog(x) },
    { name: 'complex_exp', inputs: { x }, build: ({ x }) => complexExp(x) },
  ];
}

/** The same numbers in other places. */
function moveCases({ batch, fields, dim }: CaseSizes): OpCase[] {
  const e = [batch, fields, dim];
  const [half, reads] = [Math.ceil(dim / 2), []];
  return [
    { name: 'concat', inputs: { e, f: e }, reads, build: ({ e, f }) => concat([e, f], 1) },
    { name: 'resize', inputs: { e }, reads, build: ({ e }) => resize(e, half, dim - half) },
    { name: 'transpose', inputs: { e }, reads, build: ({ e }) => transpose(e) },
  ];
}

const casesOf =
  (...families: readonly ((sizes: CaseSizes) => OpCase[])[]) =>
  (sizes: CaseSizes): KernelCase[] =>
    families.flatMap((family) => family(sizes).flatMap(bothOf));

/** Ops over [B,N] with one operand. */
export const unaryElementCases = casesOf(unaryCases, sumCases, complexCases, moveCases);
/** Ops over [B,N] with several operands. */
export const elementwiseCases = casesOf(binaryCases, normCases);
