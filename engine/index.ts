/** The public surface of the engine; nothing else of it is imported from outside engine/ (but adapter.ts by Node). */
export { backward, type Backward } from './autodiff.js';
export { HostKernels, type HostCommand } from './cpu/host.js';
export { HostPlanner } from './cpu/host_planner.js';
export * from './device.js';
export * from './init.js';
export { KernelError, type Kernel } from './kernel.js';
export { planMemory, bytesOf } from './memory.js';
export { defineOp, type Op, type OpRules } from './op.js';
export * from './ops/index.js';
export * from './optim/index.js';
export type { NonFinite } from './non_finite.js';
export { compile, Plan, type PlanSpec } from './plan.js';
export * from './profile.js';
export * from './random.js';
export * from './segments.js';
export { ShapeError, dims, format, size, type Shape } from './shape.js';
export { scheduleCapacity } from './step.js';
export { Store, type Entry, type EntryKind } from './store.js';
export {
  Tape,
  type Application,
  type Dispatch,
  type Gradient,
  type Initial,
  type RowIds,
  type Run,
} from './tape.js';
export { type Dtype, type Tensor } from './tensor.js';
export type { ClipNorm } from './updates.js';
