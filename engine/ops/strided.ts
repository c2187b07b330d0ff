/** Invocations that keep a GPU busy. */
const busy = 8192;
/** On software adapters it takes about eight vec4s of work to hide the cost of starting an invocation. */
const items = 8;

/** Invocations for `count` items of an entry that loops over them with the grid's stride. */
export const strided = (count: number): readonly [number] => [
  Math.max(Math.min(count, busy), Math.ceil(count / items)),
];
