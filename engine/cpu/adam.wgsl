// shaders/adam.wgsl for invocations that run one after the other: of rows of whole vec4s each has a block, which it asks for
// before it updates the first of them, as memory gives many rows at once in the time of a few. The same entries and numbers.

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

// Rows of a block.
const ahead = 64u;

// Which is `end`: no compiler knows it, so that what is touched must be read before rows are updated.
fn touch4(rows: u32, begin: u32, end: u32) -> u32 {
  var seen = 0u;
  for (var i = begin; i < end; i++) {
    let at = segments[rows + 4u * i] * width;
    seen |= bitcast<u32>(p4[at].x) | bitcast<u32>(exp_avg4[at].x) | bitcast<u32>(exp_avg_sq4[at].x);
  }
  return max(end, min(seen, end));
}

// One invocation: a block of rows, then those a grid further; blocks that follow each other belong to different workgroups.
@compute @workgroup_size(threads)
fn adam_rows_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = select(segments[state.cursor * dims.stride], 0u, state.halted != 0u);
  let rows = rows_at();
  let step = now();
  let first = (id.x % threads * groups.x + id.x / threads) * ahead;
  for (var begin = first; begin < count; begin += groups.x * threads * ahead) {
    let end = touch4(rows, begin, min(begin + ahead, count));
    for (var i = begin; i < end; i++) {
      let own = segments[rows + 4u * i] * width;
      for (var j = 0u; j < width; j++) {
        update_vec4(own + j, g4[i * width + j], step);
      }
    }
  }
}
