// shaders/adam_series.wgsl for invocations that run one after the other: each has a block of rows, which it asks for before
// it moves the first of them, as memory gives many rows at once in the time of a few. The same entries and numbers.

struct Dims {
  count: u32, // rows of p; 0 for those that the step names
  width: u32, // cells of a row
  stride: u32,
  beta1: f32,
  beta2: f32,
  eps: f32,
  reach: u32,
  slots: u32,
  full_at: u32,
  powers_at: u32,
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
@group(0) @binding(7) var<storage, read> sums4: array<vec4f>;

const threads = 64u;
const header = 4u;
const capacity = 16384u; // scheduleCapacity
const low_powers = 256u;

// What a row missed: the steps [first, end), their sum, and what its moments have decayed by.
struct Missed {
  first: u32,
  end: u32,
  sum: vec4f,
  decay1: f32,
  decay2: f32,
}

// The place of the sums for the step at hand; 0 if they are those of another.
fn sums_now() -> u32 {
  let at = state.step % dims.slots * dims.reach;
  return select(0u, at + 1u, bitcast<u32>(sums4[at].x) == state.step);
}

fn missed(first: u32, sums: u32) -> Missed {
  let end = state.step;
  let n = end - first;
  let own = sums + n - 1u;
  let at = select(dims.full_at + first % capacity, own, n < dims.reach);
  let sum = select(vec4f(), sums4[at], sums != 0u);
  let low = sums4[dims.powers_at + n % low_powers];
  let high = sums4[dims.powers_at + min(n / low_powers, low_powers - 1u)];
  return Missed(first, end, sum, low.x * high.z, low.y * high.w);
}

fn one_by_one(start: Cell, row: Missed) -> Cell {
  var cell = start;
  if (all(cell.m == vec4f()) && all(cell.v == vec4f())) {
    return cell;
  }
  for (var t = row.first; t < row.end; t++) {
    let entry = state.schedule[t % capacity];
    cell.m *= dims.beta1;
    cell.v *= dims.beta2;
    cell.p -= entry.x * cell.m / (entry.y * sqrt(cell.v) + dims.eps);
  }
  return cell;
}

fn catch_up(start: Cell, row: Missed) -> Cell {
  let inverse = 1.0 / (sqrt(start.v) + row.sum.y);
  let y = row.sum.y * inverse;
  // Where there is no momentum nothing moves, and no v makes y 1.
  let far = select(y, vec4f(), start.m == vec4f());
  if (row.sum.y <= 0.0 || any(far > vec4f(row.sum.w))) {
    return one_by_one(start, row);
  }
  let moved = row.sum.x * start.m * inverse;
  return Cell(start.p - (moved + moved * (y * y * row.sum.z)), row.decay1 * start.m, row.decay2 * start.v);
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

// The first step that is not in the row, which counts the step at hand from here on: no step for what misses nothing.
fn count_up(row: u32) -> u32 {
  let steps = last[row];
  let all_rows = dims.count != 0u;
  if (all_rows && steps == 0u) { return state.step; } // never named: there is nothing to decay
  last[row] = state.step + select(1u, 0u, all_rows);
  return steps;
}

// Rows of a block.
const ahead = 64u;

// The first row of an invocation's first block. Blocks that follow each other belong to different workgroups.
fn first_of(id: u32, groups: u32) -> u32 {
  return (id % threads * groups + id / threads) * ahead;
}

// Which is `end`: no compiler knows it, so that what was touched must be read before rows are moved.
fn end_once(seen: u32, end: u32) -> u32 {
  return max(end, min(seen, end));
}

fn touch(begin: u32, end: u32) -> u32 {
  var seen = 0u;
  for (var i = begin; i < end; i++) {
    let row = row_at(i);
    let at = row * width;
    seen |= last[row] | bitcast<u32>(p[at]) | bitcast<u32>(exp_avg[at]) | bitcast<u32>(exp_avg_sq[at]);
  }
  return end_once(seen, end);
}

fn touch4(begin: u32, end: u32) -> u32 {
  var seen = 0u;
  for (var i = begin; i < end; i++) {
    let row = row_at(i);
    let at = row * width;
    seen |= last[row] | bitcast<u32>(p4[at].x) | bitcast<u32>(exp_avg4[at].x) | bitcast<u32>(exp_avg_sq4[at].x);
  }
  return end_once(seen, end);
}

// One invocation: a block, then those a grid further. A float has the arithmetic of vec4s of which the compiler drops three
// quarters.
@compute @workgroup_size(threads)
fn adam_series(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = row_count();
  let sums = sums_now();
  for (var begin = first_of(id.x, groups.x); begin < count; begin += groups.x * threads * ahead) {
    let end = touch(begin, min(begin + ahead, count));
    for (var i = begin; i < end; i++) {
      let row = row_at(i);
      let first = count_up(row);
      if (first < state.step) {
        let now = missed(first, sums);
        for (var at = row * width; at < (row + 1u) * width; at++) {
          let cell = catch_up(Cell(vec4f(p[at]), vec4f(exp_avg[at]), vec4f(exp_avg_sq[at])), now);
          p[at] = cell.p.x;
          exp_avg[at] = cell.m.x;
          exp_avg_sq[at] = cell.v.x;
        }
      }
    }
  }
}

// One invocation: a block of rows of whole vec4s.
@compute @workgroup_size(threads)
fn adam_series_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = row_count();
  let sums = sums_now();
  for (var begin = first_of(id.x, groups.x); begin < count; begin += groups.x * threads * ahead) {
    let end = touch4(begin, min(begin + ahead, count));
    for (var i = begin; i < end; i++) {
      let row = row_at(i);
      let first = count_up(row);
      if (first < state.step) {
        let now = missed(first, sums);
        for (var at = row * width; at < (row + 1u) * width; at++) {
          let cell = catch_up(Cell(p4[at], exp_avg4[at], exp_avg_sq4[at]), now);
          p4[at] = cell.p;
          exp_avg4[at] = cell.m;
          exp_avg_sq4[at] = cell.v;
        }
      }
    }
  }
}
