import * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import type { Kernel } from '../kernel.js';
import { assigns, breaks, isFixed, walk } from './analysis.js';
import type { Ref } from './builder.js';
import { SubsetError } from './errors.js';
import { as, expression } from './expressions.js';
import { countedLoop, countedParts, type CountedParts } from './loops.js';
import { binary } from './operators.js';
import { returns } from './returns.js';
import { Scope } from './scope.js';
import type { Translator } from './translator.js';
import { u32, vector } from './types.js';
import type { Value } from './values.js';

/** Parameters of an entry point: where its record is, and which workgroups to run. */
export const record = 0;
const first = 1;
const last = 2;

const vec3u = vector('u32', 3);

/** The name of the parameter that is given a builtin value. */
function builtin({ args }: ast.Function, wanted: string): string | undefined {
  return args.find(({ attributes }) =>
    attributes?.some(({ name, value }) => name === 'builtin' && [value].flat()[0] === wanted),
  )?.name;
}

const known = ['global_invocation_id', 'local_invocation_id', 'workgroup_id', 'num_workgroups'];

function checkArguments({ args }: ast.Function): void {
  for (const { name, attributes } of args) {
    const builtins =
      attributes?.filter((one) => one.name === 'builtin').map(({ value }) => [value].flat()[0]) ?? [];
    if (builtins.length !== 1 || !known.includes(builtins[0] ?? '')) {
      throw new SubsetError(`the parameter ${name} of an entry is none of ${known.join(', ')}`);
    }
  }
}

/** Writes the body of an entry point: its invocations, one after the other. */
export function entryBody(t: Translator, node: ast.Function, kernel: Kernel): Ref {
  checkArguments(node);
  const code = t.builder.collect(() => {
    const groups = [0, 1, 2].map((axis) => groupCount(t, axis));
    if (!strides(t, node, kernel, groups[0])) allInvocations(t, node, kernel, groups);
  });
  const { module } = t.builder;
  return module.block(null as unknown as string, [...(t.memory?.prologue ?? []), ...code]);
}

function groupCount(t: Translator, axis: number): Value {
  const local = t.builder.local('i32');
  t.builder.set(local, t.builder.module.i32.load(4 * axis, 4, t.builder.get(record)));
  return t.values.locals(u32, [local], 0, true);
}

/** What an entry does that only walks a range: some values, then one loop with the grid's stride. */
interface Striding {
  readonly before: readonly ast.Statement[];
  readonly loop: ast.For;
  readonly parts: CountedParts;
}

const text = (code: ast.Node | null): string => {
  let words = '';
  walk(code, (node) => {
    const { name, operator, value } = node as { name?: string; operator?: string; value?: unknown };
    const number = node instanceof ast.LiteralExpr ? node.scalarValue : '';
    words += ` ${name ?? ''}${operator ?? ''}${typeof value === 'string' ? value : ''}${number}`;
  });
  return words.trim();
};

function striding(node: ast.Function, { workgroup }: Kernel): Striding | undefined {
  const [id, groups] = ['global_invocation_id', 'num_workgroups'].map((name) => builtin(node, name));
  const loop = node.body[node.body.length - 1];
  if (id === undefined || groups === undefined || !(loop instanceof ast.For)) return undefined;
  const parts = countedParts(loop);
  if (parts === undefined || parts.step === null || workgroup[1] * workgroup[2] !== 1) return undefined;
  const before = node.body.slice(0, -1);
  const uses = (code: readonly ast.Node[], name: string) => {
    let count = 0;
    walk(code, (one) => (count += one instanceof ast.VariableExpr && one.name === name ? 1 : 0));
    return count;
  };
  const whole = [...before, loop];
  const fits =
    text(parts.start) === `${id} x` &&
    new RegExp(`^\\* ${groups} x (\\S+ )?${workgroup[0]}$`).test(text(parts.step)) &&
    uses(whole, id) === 1 &&
    uses(whole, groups) === 1 &&
    before.every((one) => one instanceof ast.Let || one instanceof ast.Const) &&
    !assigns(loop.body, parts.name) &&
    !breaks(loop.body) &&
    !returns(loop.body);
  return fits ? { before, loop, parts } : undefined;
}

/**
 * Runs an entry that walks a range with the grid's stride, id.x, id.x + grid, …, as walks over the neighbouring
 * invocations' elements: the same elements, and none reads what another writes. False if the entry is another.
 */
function strides(t: Translator, node: ast.Function, kernel: Kernel, groups: Value): boolean {
  const found = striding(node, kernel);
  if (found === undefined) return false;
  const { before, loop, parts } = found;
  let fixed = true;
  const scope = new Scope(t.declarations.buffers);
  const code = t.builder.collect(() =>
    t.within(scope, () => {
      t.rules.statements(t, before);
      fixed = isFixed(t, parts.bound, loop.body);
      if (fixed) walkPieces(t, found, groups, kernel.workgroup[0]);
    }),
  );
  if (fixed) for (const statement of code) t.builder.emit(statement);
  return fixed;
}

function walkPieces(t: Translator, { loop, parts }: Striding, groups: Value, threads: number): void {
  const { module } = t.builder;
  const { i32 } = module;
  const threadsIn = (local: number) => i32.mul(t.builder.get(local), i32.const(threads));
  const bound = t.values.keep(as(t, expression(t, parts.bound), u32));
  const [from, to, length] = [0, 1, 2].map(() => t.builder.local('i32'));
  t.builder.set(from, threadsIn(first));
  t.builder.set(length, i32.sub(threadsIn(last), t.builder.get(from)));
  const top = t.builder.label('pieces');
  const goesOn = () => i32.lt_u(t.builder.get(from), t.values.write(bound));
  const pieces = t.builder.block(() =>
    t.builder.loop(top, () => {
      const end = () => i32.add(t.builder.get(from), t.builder.get(length));
      const left = () => i32.sub(t.values.write(bound), t.builder.get(from));
      const whole = i32.lt_u(t.builder.get(length), left());
      t.builder.set(to, module.select(whole, end(), t.values.write(bound)));
      const depth = t.builder.loopDepth;
      const [start, stop] = [from, to].map((local) => t.values.locals(u32, [local], depth, true));
      countedLoop(t, {
        name: parts.name,
        start,
        bound: stop,
        step: t.values.constant('u32', 1),
        body: loop.body,
      });
      const stride = t.values.write(binary(t.values, '*', groups, t.values.constant('u32', threads)));
      t.builder.set(from, i32.add(t.builder.get(from), stride));
      t.builder.emit(module.br(top, goesOn()));
    }),
  );
  t.builder.emit(module.if(goesOn(), pieces));
}

/** Counters of workgroups along x, y and z, in locals. */
type Axes = readonly number[];

/** Runs the invocations of the workgroups first … last − 1, x fastest. */
function allInvocations(t: Translator, node: ast.Function, kernel: Kernel, groups: readonly Value[]): void {
  const { module } = t.builder;
  const { i32 } = module;
  const axes: Axes = groups.map(() => t.builder.local('i32'));
  const size = (axis: number) => t.values.write(groups[axis]);
  t.builder.set(axes[0], i32.rem_u(t.builder.get(first), size(0)));
  t.builder.set(axes[2], i32.div_u(t.builder.get(first), size(0)));
  t.builder.set(axes[1], i32.rem_u(t.builder.get(axes[2]), size(1)));
  t.builder.set(axes[2], i32.div_u(t.builder.get(axes[2]), size(1)));
  const top = t.builder.label('groups');
  const goesOn = () => i32.lt_u(t.builder.get(first), t.builder.get(last));
  const all = t.builder.block(() =>
    t.builder.loop(top, () => {
      workgroup(t, node, kernel, groups, axes, 2, []);
      advance(t, groups, axes);
      t.builder.set(first, i32.add(t.builder.get(first), i32.const(1)));
      t.builder.emit(module.br(top, goesOn()));
    }),
  );
  t.builder.emit(module.if(goesOn(), all));
}

/** To the next workgroup: x, with what carries to y and z. */
function advance(t: Translator, groups: readonly Value[], axes: Axes): void {
  const { i32, if: when } = t.builder.module;
  const increase = (axis: number): void => {
    t.builder.set(axes[axis], i32.add(t.builder.get(axes[axis]), i32.const(1)));
    if (axis === 2) return;
    const carry = t.builder.block(() => {
      t.builder.set(axes[axis], i32.const(0));
      increase(axis + 1);
    });
    t.builder.emit(when(i32.eq(t.builder.get(axes[axis]), t.values.write(groups[axis])), carry));
  };
  increase(0);
}

/** Loops over the invocations of a workgroup along `axis` and the axes before it. */
function workgroup(
  t: Translator,
  node: ast.Function,
  kernel: Kernel,
  groups: readonly Value[],
  axes: Axes,
  axis: number,
  inside: readonly Value[],
): void {
  if (axis < 0) return invocation(t, node, kernel, groups, axes, inside);
  if (kernel.workgroup[axis] === 1) {
    return workgroup(t, node, kernel, groups, axes, axis - 1, [t.values.constant('u32', 0), ...inside]);
  }
  const { module } = t.builder;
  const local = t.builder.local('i32');
  const top = t.builder.label('threads');
  t.builder.set(local, module.i32.const(0));
  t.builder.loop(top, () => {
    const at = t.values.locals(u32, [local], t.builder.loopDepth, true);
    workgroup(t, node, kernel, groups, axes, axis - 1, [at, ...inside]);
    t.builder.set(local, module.i32.add(t.builder.get(local), module.i32.const(1)));
    const size = module.i32.const(kernel.workgroup[axis]);
    t.builder.emit(module.br(top, module.i32.lt_u(t.builder.get(local), size)));
  });
}

function invocation(
  t: Translator,
  node: ast.Function,
  { workgroup: sizes }: Kernel,
  groups: readonly Value[],
  axes: Axes,
  inside: readonly Value[],
): void {
  const group = axes.map((axis) => t.values.locals(u32, [axis], 1, true));
  const id = group.map((at, axis) => {
    const begin = binary(t.values, '*', at, t.values.constant('u32', sizes[axis]));
    return t.values.keep(binary(t.values, '+', begin, inside[axis]));
  });
  const scope = new Scope(t.declarations.buffers);
  const give = (name: string, parts: readonly Value[]) => {
    const parameter = builtin(node, name);
    if (parameter === undefined) return;
    const depth = Math.max(...parts.map((part) => part.depth));
    const leaves = parts.map(({ leaves }) => leaves[0]);
    scope.declare(parameter, { kind: 'value', value: t.values.of(vec3u, leaves, depth) });
  };
  give('global_invocation_id', id);
  give('local_invocation_id', inside);
  give('workgroup_id', group);
  give('num_workgroups', groups);
  const label = t.builder.label('invocation');
  t.exit = { label, locals: [], type: null };
  t.builder.emit(t.builder.block(() => t.within(scope, () => t.rules.statements(t, node.body)), label));
}
