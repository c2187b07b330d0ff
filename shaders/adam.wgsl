// Adam (Kingma and Ba, 2015) with the arithmetic of torch.optim.Adam, for step t counted from 1:
//   g = clip · gradient + weight_decay · p      m = β₁m + (1 − β₁)g      v = β₂v + (1 − β₂)g²
//   p = p − rate · m / (correction · √v + ε),   rate = lr / (1 − β₁ᵗ), correction = 1 / √(1 − β₂ᵗ): schedule[t − 1]
//   adam_dense:  all of p
//   adam_walk:   the same with the gradient spent, which is 0 again after it
//   adam_rows:   the rows that the step names, after adam_replay, from their gradients g[i,:]
// What is done to the other rows of a table is in adam_replay.wgsl.
// A cell is a vec4 of a row in _vec4 entries, else a float.

struct Dims {
  count: u32, // cells of p
  width: u32, // cells of a row
  stride: u32,
  beta1: f32,
  beta2: f32,
  rest1: f32, // 1 − β₁
  rest2: f32,
  eps: f32,
  weight_decay: f32,
}

struct State {
  step: u32,
  cursor: u32,
  halted: u32,
  seed: u32,
  @size(16) clip: f32,
  schedule: array<vec4f>,
}

struct Cell {
  p: vec4f,
  m: vec4f,
  v: vec4f,
}

override width: u32; // dims.width, known when the pipeline is made: no division by it is left

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> segments: array<u32>;
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read> g4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> spent4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> p: array<f32>;
@group(0) @binding(4) var<storage, read_write> p4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> exp_avg: array<f32>;
@group(0) @binding(5) var<storage, read_write> exp_avg4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> exp_avg_sq: array<f32>;
@group(0) @binding(6) var<storage, read_write> exp_avg_sq4: array<vec4f>;

const threads = 64u;
const header = 4u;
const capacity = 16384u; // scheduleCapacity

// What the step's update of every cell needs of the state, read once.
struct Now {
  clip: f32,
  rate: f32,
  correction: f32,
}

fn now() -> Now {
  let entry = state.schedule[state.step % capacity];
  return Now(state.clip, entry.x, entry.y);
}

fn update(start: Cell, gradient: vec4f, at: Now) -> Cell {
  let full = at.clip * gradient + dims.weight_decay * start.p;
  let m = dims.beta1 * start.m + dims.rest1 * full;
  let v = dims.beta2 * start.v + dims.rest2 * full * full;
  return Cell(start.p - at.rate * m / (at.correction * sqrt(v) + dims.eps), m, v);
}

fn update_vec4(at: u32, gradient: vec4f, step: Now) {
  let cell = update(Cell(p4[at], exp_avg4[at], exp_avg_sq4[at]), gradient, step);
  p4[at] = cell.p;
  exp_avg4[at] = cell.m;
  exp_avg_sq4[at] = cell.v;
}

// Cells of the rows that the step names; none once the run is halted.
fn named_cells() -> u32 {
  return select(segments[state.cursor * dims.stride] * width, 0u, state.halted != 0u);
}

// Where the i-th of them is in the table; the rows that the step names are listed from word `rows` on.
fn cell_at(rows: u32, i: u32) -> u32 {
  return segments[rows + 4u * (i / width)] * width + i % width;
}

fn rows_at() -> u32 {
  return state.cursor * dims.stride + header;
}

// One invocation: a vec4, then those a grid further.
@compute @workgroup_size(threads)
fn adam_dense(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = select(dims.count, 0u, state.halted != 0u);
  let step = now();
  for (var i = id.x; i < count; i += groups.x * threads) {
    update_vec4(i, g4[i], step);
  }
}

// One invocation: a vec4. The gradient is zeroed in a halted run, too.
@compute @workgroup_size(threads)
fn adam_walk(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let live = state.halted == 0u;
  let step = now();
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    if (live) {
      update_vec4(i, spent4[i], step);
    }
    spent4[i] = vec4f();
  }
}

// One invocation: a float of a row; its arithmetic is that of vec4s of which the compiler drops three quarters.
@compute @workgroup_size(threads)
fn adam_rows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = named_cells();
  let rows = rows_at();
  let step = now();
  for (var i = id.x; i < count; i += groups.x * threads) {
    let at = cell_at(rows, i);
    let cell = update(Cell(vec4f(p[at]), vec4f(exp_avg[at]), vec4f(exp_avg_sq[at])), vec4f(g[i]), step);
    p[at] = cell.p.x;
    exp_avg[at] = cell.m.x;
    exp_avg_sq[at] = cell.v.x;
  }
}

// One invocation: a vec4 of a row.
@compute @workgroup_size(threads)
fn adam_rows_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = named_cells();
  let rows = rows_at();
  let step = now();
  for (var i = id.x; i < count; i += groups.x * threads) {
    let at = cell_at(rows, i);
    update_vec4(at, g4[i], step);
  }
}
