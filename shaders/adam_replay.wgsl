// The updates that rows of a table missed while no step named them, with the arithmetic of adam.wgsl for a zero
// gradient, bit for bit: momentum goes on moving a row that is not read.
//   m = β₁m      v = β₂v      p = p − rate · m / (correction · √v + ε)
//   adam_replay:  the rows that the step names, before they are read, or with dims.count all rows
// With weight decay the gradient is weight_decay · p instead.
// A cell is a vec4 of a row in _vec4 entries, else a float; last[row] counts the steps that are in a row once the step
// at hand, which will update the rows it names, is over.

struct Dims {
  count: u32, // rows of p; 0 for those that the step names
  width: u32, // cells of a row
  stride: u32,
  beta1: f32,
  beta2: f32,
  rest1: f32, // 1 − β₁
  rest2: f32,
  eps: f32,
  weight_decay: f32,
  fading: f32, // steps in which |m| / √v halves
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
@group(0) @binding(3) var<storage, read_write> p: array<f32>;
@group(0) @binding(3) var<storage, read_write> p4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> exp_avg: array<f32>;
@group(0) @binding(4) var<storage, read_write> exp_avg4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> exp_avg_sq: array<f32>;
@group(0) @binding(5) var<storage, read_write> exp_avg_sq4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> last: array<u32>;

const threads = 64u;
const header = 4u;
const capacity = 16384u; // scheduleCapacity
// A step moves p by at most rate · ratio, ratio = |m| / (√v + ε) ≤ 8, which halves every dims.fading steps. Once the
// ratio is below 2⁻⁴⁸, all later steps together move p by less than rate · 4e-14, and only m and v are carried on.
const negligible = 48.0;
const worth_asking = 64u; // to find out when that is costs as much as a few dozen steps

fn moved(cell: Cell, t: u32) -> vec4f {
  let entry = state.schedule[t % capacity];
  return cell.p - entry.x * cell.m / (entry.y * sqrt(cell.v) + dims.eps);
}

fn faded(cell: Cell) -> Cell {
  return Cell(cell.p, dims.beta1 * cell.m, dims.beta2 * cell.v);
}

fn decayed(cell: Cell) -> Cell {
  let full = dims.weight_decay * cell.p;
  return Cell(cell.p, dims.beta1 * cell.m + dims.rest1 * full, dims.beta2 * cell.v + dims.rest2 * full * full);
}

// Steps after which the movement is negligible: about 340 after a gradient, with the usual β.
fn moving_steps(cell: Cell) -> u32 {
  let ratio = abs(cell.m) / (sqrt(cell.v) + dims.eps);
  let halvings = log2(max(max(ratio.x, ratio.y), max(ratio.z, ratio.w)) + exp2(-negligible)) + negligible;
  return u32(min((halvings + 1.0) * dims.fading, f32(capacity)));
}

fn replay(start: Cell, first: u32, end: u32) -> Cell {
  var cell = start;
  if (dims.weight_decay != 0.0) {
    for (var t = first; t < end; t++) {
      cell = decayed(cell);
      cell.p = moved(cell, t);
    }
    return cell;
  }
  if (all(cell.m == vec4f()) && all(cell.v == vec4f())) {
    return cell;
  }
  var still = end;
  if (end - first > worth_asking) { still = min(first + moving_steps(cell), end); }
  for (var t = first; t < still; t++) {
    cell = faded(cell);
    cell.p = moved(cell, t);
  }
  for (var t = still; t < end; t++) {
    cell = faded(cell);
  }
  return cell;
}

// Rows to catch up: all, or those that the step names; none once the run is halted.
fn row_count() -> u32 {
  if (state.halted != 0u || dims.count != 0u) {
    return select(dims.count, 0u, state.halted != 0u); // no step is at hand after the last one of a chunk
  }
  return segments[state.cursor * dims.stride];
}

fn row_at(i: u32) -> u32 {
  if (dims.count != 0u) { return i; }
  return segments[state.cursor * dims.stride + header + 4u * i];
}

// The steps that are in the row; the step at hand counts as one of them from here on.
fn count_up(row: u32) -> u32 {
  let steps = last[row];
  last[row] = state.step + select(1u, 0u, dims.count != 0u);
  return steps;
}

// One invocation: a row. The arithmetic of a float is that of vec4s of which the compiler drops three quarters.
@compute @workgroup_size(threads)
fn adam_replay(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = row_count();
  let step = state.step;
  for (var i = id.x; i < count; i += groups.x * threads) {
    let row = row_at(i);
    let first = count_up(row);
    if (first < step) {
      for (var at = row * width; at < (row + 1u) * width; at++) {
        let cell = replay(Cell(vec4f(p[at]), vec4f(exp_avg[at]), vec4f(exp_avg_sq[at])), first, step);
        p[at] = cell.p.x;
        exp_avg[at] = cell.m.x;
        exp_avg_sq[at] = cell.v.x;
      }
    }
  }
}

// One invocation: a row of whole vec4s.
@compute @workgroup_size(threads)
fn adam_replay_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = row_count();
  let step = state.step;
  for (var i = id.x; i < count; i += groups.x * threads) {
    let row = row_at(i);
    let first = count_up(row);
    if (first < step) {
      for (var at = row * width; at < (row + 1u) * width; at++) {
        let cell = replay(Cell(p4[at], exp_avg4[at], exp_avg_sq4[at]), first, step);
        p4[at] = cell.p;
        exp_avg4[at] = cell.m;
        exp_avg_sq4[at] = cell.v;
      }
    }
  }
}
