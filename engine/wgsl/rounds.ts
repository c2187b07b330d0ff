import type * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import { isStraight, weight } from './analysis.js';
import { Divisions } from './divisions.js';
import { binary } from './operators.js';
import { Pressure } from './pressure.js';
import { Scope } from './scope.js';
import type { Translator } from './translator.js';
import type { Value } from './values.js';
import { Walks } from './walks.js';

/** Rounds of a straight loop in one turn, and the weight of code up to which that pays. */
const unrolling = 8;
const mostUnrolledWeight = 250;
/** A counter that grows faster than this is not counted down beside. */
const mostStep = 2 ** 20;

/** `for (var name = start; name < bound; name += step) body`, where nothing but the step changes name, bound or step. */
export interface CountedLoop {
  readonly name: string;
  readonly start: Value;
  readonly bound: Value;
  readonly step: Value;
  readonly body: readonly ast.Statement[];
}

/** `step · count`. */
export const times = (t: Translator, step: Value, count: number): Value =>
  binary(t.values, '*', step, t.values.constant('int', count));

/** The body once, with the counter as a value; `before` is called before each statement. */
export function round(
  t: Translator,
  { name, body }: CountedLoop,
  count: Value,
  before?: (at: number) => void,
): void {
  const scope = new Scope(t.scope);
  scope.declare(name, { kind: 'value', value: count });
  t.within(scope, () =>
    body.forEach((statement, at) => {
      before?.(at);
      t.rules.statements(t, [statement]);
    }),
  );
}

/** A counted loop while it is written. */
interface Writing {
  readonly t: Translator;
  readonly loop: CountedLoop;
  /** Local with the counter. */
  readonly local: number;
  /** Label behind the loop. */
  readonly leave: string;
  readonly divisions: Divisions;
}

/** Writes the rounds until the bound. */
export function rounds(t: Translator, loop: CountedLoop): void {
  const { module } = t.builder;
  const local = t.builder.local('i32');
  t.builder.set(local, t.values.write(loop.start));
  const leave = t.builder.label('leave');
  const divisions = new Divisions(t.values, t.builder.loopDepth + 1);
  const writing = { t, loop, local, leave, divisions };
  const step = loop.step.constant ?? 0;
  const straight = step > 0 && step <= mostStep && isStraight(t, loop.body);
  const whole = t.builder.block(() => (straight ? turns(writing, step) : oneByOne(writing)));
  t.builder.emit(t.builder.block(() => t.builder.emit(module.if(goesOn(writing), whole)), leave));
}

const goesOn = ({ t, loop, local }: Writing) =>
  t.values.write(binary(t.values, '<', t.values.locals(loop.start.type, [local], 0, false), loop.bound));

/** One round, whose counter is `at`. */
function oneRound({ t, loop, leave, divisions }: Writing, at: Value, before?: (at: number) => void): void {
  const { type } = loop.start;
  const divides = type.kind === 'scalar' && type.of === 'u32' && loop.step.constant === 1;
  if (divides) t.values.divided.set(at, divisions);
  const next = t.builder.label('next');
  t.loops.push({ leave, next });
  t.builder.emit(t.builder.block(() => round(t, loop, at, before), next));
  t.loops.pop();
  t.values.divided.delete(at);
  divisions.advance();
}

function oneByOne(writing: Writing): void {
  const { t, loop, local, divisions } = writing;
  const { module } = t.builder;
  const top = t.builder.label('top');
  const code = t.builder.collect(() =>
    t.builder.loop(top, () => {
      const counter = t.values.locals(loop.start.type, [local], t.builder.loopDepth, true);
      oneRound(writing, counter);
      t.builder.set(local, module.i32.add(t.builder.get(local), t.values.write(loop.step)));
      t.builder.emit(module.br(top, goesOn(writing)));
    }),
  );
  divisions.start(local);
  for (const one of code) t.builder.emit(one);
}

/**
 * Several rounds in one turn. A test stands between them: in one long block V8 loads everything first and runs out of
 * registers. What is left of the way to the bound is counted down, so that it is compared with constants.
 */
function turns(writing: Writing, step: number): void {
  const { t, loop, local, leave, divisions } = writing;
  const { module } = t.builder;
  const { i32 } = module;
  const left = t.builder.local('i32');
  const copies = weight(t, loop.body) <= mostUnrolledWeight ? unrolling : 1;
  const ends = (rounds: number) => i32.le_u(t.builder.get(left), i32.const(rounds * step));
  const moves = (counter: number, by: number) =>
    t.builder.set(counter, i32.add(t.builder.get(counter), i32.const(by)));
  const top = t.builder.label('top');
  const pressure = new Pressure(t, loop.body, () => t.builder.get(left));
  const counter = t.values.locals(loop.start.type, [local], t.builder.loopDepth + 1, true);
  const walks = new Walks(t.values, counter.leaves[0], step, copies, t.builder.loopDepth + 1);
  const code = t.builder.collect(() =>
    t.builder.loop(top, () => {
      t.values.walks = walks;
      for (let i = 0; i < copies; i++) {
        if (i > 0) t.builder.emit(module.br(leave, ends(i)));
        pressure.begin();
        oneRound(writing, binary(t.values, '+', counter, times(t, loop.step, i)), (at) => {
          if (pressure.isHigh(at)) t.builder.emit(module.br(leave, pressure.never()));
        });
        walks.advance();
      }
      t.values.walks = undefined;
      moves(local, copies * step);
      t.builder.emit(module.br(leave, ends(copies)));
      moves(left, -copies * step);
      t.builder.emit(module.br(top));
    }),
  );
  divisions.start(local);
  walks.start();
  t.builder.set(left, i32.sub(t.values.write(loop.bound), t.builder.get(local)));
  for (const one of code) t.builder.emit(one);
}
