// Dense Adam of a table that a step names a good part of: a walk over all of its rows, with the arithmetic of adam.wgsl
// to the last bit. A row that no step names has a gradient of zero, which is never stored.
// Rows of whole vec4s find their gradient, others have it put where they find it:
//   adam_walk_index:    index[row] = 1 + i for the i-th row that the step names
//   adam_walk_rows:     all rows, with the gradient g[index − 1,:]; index = 0 again
//   adam_walk_scatter:  scattered[row,:] = g[i,:]
//   adam_walk_flat:     all floats, with the gradient scattered, which is 0 again

struct Dims {
  count: u32, // rows of p, in adam_walk_flat vec4s
  width: u32, // vec4s of a row, in adam_walk_scatter floats
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

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> segments: array<u32>;
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read> g4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> p4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> exp_avg4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> exp_avg_sq4: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> index: array<u32>;
@group(0) @binding(7) var<storage, read_write> scattered: array<f32>;
@group(0) @binding(7) var<storage, read_write> scattered4: array<vec4f>;

const threads = 64u;
const header = 4u;
const capacity = 16384u; // scheduleCapacity

// What the step's update of every cell needs of the state, read once.
struct Now {
  rows: u32, // to walk over; none once the run is halted
  clip: f32,
  rate: f32,
  correction: f32,
}

fn now() -> Now {
  let entry = state.schedule[state.step % capacity];
  return Now(select(dims.count, 0u, state.halted != 0u), state.clip, entry.x, entry.y);
}

fn update(start: Cell, gradient: vec4f, step: Now) -> Cell {
  let full = step.clip * gradient + dims.weight_decay * start.p;
  let m = dims.beta1 * start.m + dims.rest1 * full;
  let v = dims.beta2 * start.v + dims.rest2 * full * full;
  return Cell(start.p - step.rate * m / (step.correction * sqrt(v) + dims.eps), m, v);
}

fn update4(at: u32, gradient: vec4f, step: Now) {
  let cell = update(Cell(p4[at], exp_avg4[at], exp_avg_sq4[at]), gradient, step);
  p4[at] = cell.p;
  exp_avg4[at] = cell.m;
  exp_avg_sq4[at] = cell.v;
}

// The rows that the step names, listed from word `list` on; none once the run is halted.
struct Rows {
  count: u32,
  list: u32,
}

fn rows_now() -> Rows {
  let base = state.cursor * dims.stride;
  return Rows(select(segments[base], 0u, state.halted != 0u), base + header);
}

// One invocation: a row that the step names, then those a grid further.
@compute @workgroup_size(threads)
fn adam_walk_index(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let rows = rows_now();
  for (var i = id.x; i < rows.count; i += groups.x * threads) {
    index[segments[rows.list + 4u * i]] = i + 1u;
  }
}

// One invocation: a row of whole vec4s.
@compute @workgroup_size(threads)
fn adam_walk_rows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let step = now();
  for (var row = id.x; row < step.rows; row += groups.x * threads) {
    let i = index[row];
    index[row] = 0u;
    let own = row * dims.width;
    if (i == 0u) {
      for (var j = 0u; j < dims.width; j++) {
        update4(own + j, vec4f(), step);
      }
    } else {
      for (var j = 0u; j < dims.width; j++) {
        update4(own + j, g4[(i - 1u) * dims.width + j], step);
      }
    }
  }
}

// One invocation: a row that the step names.
@compute @workgroup_size(threads)
fn adam_walk_scatter(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let rows = rows_now();
  for (var i = id.x; i < rows.count; i += groups.x * threads) {
    let own = segments[rows.list + 4u * i] * dims.width;
    for (var j = 0u; j < dims.width; j++) {
      scattered[own + j] = g[i * dims.width + j];
    }
  }
}

// One invocation: four floats.
@compute @workgroup_size(threads)
fn adam_walk_flat(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let step = now();
  for (var q = id.x; q < step.rows; q += groups.x * threads) {
    update4(q, scattered4[q], step);
    scattered4[q] = vec4f();
  }
}
