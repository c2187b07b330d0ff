// Adam (Kingma and Ba, 2015) on the rows that a step names, the others resting, with the arithmetic of
// torch.optim.SparseAdam; rate, correction and their quotient are schedule[t − 1] for step t, see adam.wgsl:
//   g = clip · gradient      m = β₁m + (1 − β₁)g      v = β₂v + (1 − β₂)g²
//   sparse_adam_dense:  p = p − rate · m / (correction · √v + ε), all of p
//   sparse_adam_rows:   p = p − rate / correction · m / (√v + ε), rows from their gradients g[i,:]
// A cell is a vec4 of a row in _vec4 entries, else a float.

struct Dims {
  count: u32, // cells of p; 0 for the rows that the step names
  width: u32, // cells of a row
  stride: u32,
  beta1: f32,
  beta2: f32,
  rest1: f32, // 1 − β₁
  rest2: f32,
  eps: f32,
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

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> segments: array<u32>;
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read> g4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> p: array<f32>;
@group(0) @binding(4) var<storage, read_write> p4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> exp_avg: array<f32>;
@group(0) @binding(5) var<storage, read_write> exp_avg4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> exp_avg_sq: array<f32>;
@group(0) @binding(6) var<storage, read_write> exp_avg_sq4: array<vec4f>;

const threads = 64u;
const header = 4u;
const capacity = 16384u; // scheduleCapacity

// Moments after the step, p before it.
fn remember(start: Cell, gradient: vec4f) -> Cell {
  let full = state.clip * gradient;
  let m = dims.beta1 * start.m + dims.rest1 * full;
  return Cell(start.p, m, dims.beta2 * start.v + dims.rest2 * full * full);
}

fn row_step(start: Cell, gradient: vec4f) -> Cell {
  var cell = remember(start, gradient);
  cell.p -= state.schedule[state.step % capacity].z * cell.m / (sqrt(cell.v) + dims.eps);
  return cell;
}

// Cells of the rows that the step names; none once the run is halted.
fn cells() -> u32 {
  return select(segments[state.cursor * dims.stride] * dims.width, 0u, state.halted != 0u);
}

// Where the i-th of them is in the table.
fn cell_at(i: u32) -> u32 {
  let row = segments[state.cursor * dims.stride + header + 4u * (i / dims.width)];
  return row * dims.width + i % dims.width;
}

// One invocation: a vec4, then those a grid further.
@compute @workgroup_size(threads)
fn sparse_adam_dense(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = select(dims.count, 0u, state.halted != 0u);
  let entry = state.schedule[state.step % capacity];
  for (var i = id.x; i < count; i += groups.x * threads) {
    let cell = remember(Cell(p4[i], exp_avg4[i], exp_avg_sq4[i]), g4[i]);
    p4[i] = cell.p - entry.x * cell.m / (entry.y * sqrt(cell.v) + dims.eps);
    exp_avg4[i] = cell.m;
    exp_avg_sq4[i] = cell.v;
  }
}

// One invocation: a float of a row; its arithmetic is that of vec4s of which the compiler drops three quarters.
@compute @workgroup_size(threads)
fn sparse_adam_rows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = cells();
  for (var i = id.x; i < count; i += groups.x * threads) {
    let at = cell_at(i);
    let cell = row_step(Cell(vec4f(p[at]), vec4f(exp_avg[at]), vec4f(exp_avg_sq[at])), vec4f(g[i]));
    p[at] = cell.p.x;
    exp_avg[at] = cell.m.x;
    exp_avg_sq[at] = cell.v.x;
  }
}

// One invocation: a vec4 of a row.
@compute @workgroup_size(threads)
fn sparse_adam_rows_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = cells();
  for (var i = id.x; i < count; i += groups.x * threads) {
    let at = cell_at(i);
    let cell = row_step(Cell(p4[at], exp_avg4[at], exp_avg_sq4[at]), g4[i]);
    p4[at] = cell.p;
    exp_avg4[at] = cell.m;
    exp_avg_sq4[at] = cell.v;
  }
}
