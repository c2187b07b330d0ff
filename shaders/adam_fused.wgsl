// adam_rows of adam.wgsl straight from the sources of each row's gradient, as segment_sum_rows sums them: the same bits
// without a gradient in between.
//   adam_fused:  the rows that the step names, after adam_replay and segment_sum_pieces
// A cell is a vec4 of a row in _vec4 entries, else a float.

struct Dims {
  width: u32, // cells of a row
  stride: u32,
  max_rows: u32,
  max_pieces: u32,
  example_bits: u32,
  example_rows: u32,
  position_mask: u32,
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
@group(0) @binding(3) var<storage, read> source: array<f32>;
@group(0) @binding(3) var<storage, read> source4: array<vec4f>;
@group(0) @binding(4) var<storage, read> partials: array<f32>;
@group(0) @binding(4) var<storage, read> partials4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> p: array<f32>;
@group(0) @binding(5) var<storage, read_write> p4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> exp_avg: array<f32>;
@group(0) @binding(6) var<storage, read_write> exp_avg4: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> exp_avg_sq: array<f32>;
@group(0) @binding(7) var<storage, read_write> exp_avg_sq4: array<vec4f>;

const threads = 64u;
const header = 4u;
const piece_length = 64u;
const capacity = 16384u; // scheduleCapacity

fn source_row(s: u32) -> u32 { // as in segment_sum.wgsl
  return (s >> dims.example_bits) * dims.example_rows + (s & dims.position_mask);
}

// The step's lists, and what its update of every cell needs of the state, read once.
struct Now {
  count: u32, // cells of the rows that the step names; none once the run is halted
  rows: u32,
  sources: u32,
  clip: f32,
  rate: f32,
  correction: f32,
}

fn now() -> Now {
  let base = state.cursor * dims.stride;
  let count = select(segments[base] * width, 0u, state.halted != 0u);
  let sources = base + header + 4u * dims.max_rows + 2u * dims.max_pieces;
  let entry = state.schedule[state.step % capacity];
  return Now(count, base + header, sources, state.clip, entry.x, entry.y);
}

fn update(start: Cell, gradient: vec4f, now: Now) -> Cell {
  let full = now.clip * gradient + dims.weight_decay * start.p;
  let m = dims.beta1 * start.m + dims.rest1 * full;
  let v = dims.beta2 * start.v + dims.rest2 * full * full;
  return Cell(start.p - now.rate * m / (now.correction * sqrt(v) + dims.eps), m, v);
}

// Sum of a column over the sources [begin, end) of a row, or over its pieces if there are more than 64.
fn row_sum(sources: u32, begin: u32, end: u32, first_piece: u32, column: u32) -> f32 {
  var total = 0.0;
  if (end - begin > piece_length) {
    let pieces = (end - begin + piece_length - 1u) / piece_length;
    for (var j = first_piece; j < first_piece + pieces; j++) {
      total += partials[j * width + column];
    }
    return total;
  }
  for (var k = sources + begin; k < sources + end; k++) {
    total += source[source_row(segments[k]) * width + column];
  }
  return total;
}

fn row_sum4(sources: u32, begin: u32, end: u32, first_piece: u32, column: u32) -> vec4f {
  var total = vec4f();
  if (end - begin > piece_length) {
    let pieces = (end - begin + piece_length - 1u) / piece_length;
    for (var j = first_piece; j < first_piece + pieces; j++) {
      total += partials4[j * width + column];
    }
    return total;
  }
  for (var k = sources + begin; k < sources + end; k++) {
    total += source4[source_row(segments[k]) * width + column];
  }
  return total;
}

// One invocation: a float of a row; its arithmetic is that of vec4s of which the compiler drops three quarters.
@compute @workgroup_size(threads)
fn adam_fused(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let step = now();
  for (var i = id.x; i < step.count; i += groups.x * threads) {
    let row = step.rows + 4u * (i / width);
    let column = i % width;
    let at = segments[row] * width + column;
    let gradient = row_sum(step.sources, segments[row + 1u], segments[row + 2u], segments[row + 3u], column);
    let cell = update(Cell(vec4f(p[at]), vec4f(exp_avg[at]), vec4f(exp_avg_sq[at])), vec4f(gradient), step);
    p[at] = cell.p.x;
    exp_avg[at] = cell.m.x;
    exp_avg_sq[at] = cell.v.x;
  }
}

// One invocation: a vec4 of a row.
@compute @workgroup_size(threads)
fn adam_fused_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let step = now();
  for (var i = id.x; i < step.count; i += groups.x * threads) {
    let row = step.rows + 4u * (i / width);
    let column = i % width;
    let at = segments[row] * width + column;
    let gradient = row_sum4(step.sources, segments[row + 1u], segments[row + 2u], segments[row + 3u], column);
    let cell = update(Cell(p4[at], exp_avg4[at], exp_avg_sq4[at]), gradient, step);
    p4[at] = cell.p;
    exp_avg4[at] = cell.m;
    exp_avg_sq4[at] = cell.v;
  }
}
