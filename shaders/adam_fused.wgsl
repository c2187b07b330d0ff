// adam_rows_vec4 of adam.wgsl straight from the sources of each row's gradient, as segment_sum_rows_vec4 sums them: the
// same bits without a gradient in between.
//   adam_fused_vec4:  the rows that the step names, after adam_replay and segment_sum_pieces

struct Dims {
  width: u32, // vec4s of a row
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

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> segments: array<u32>;
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> source4: array<vec4f>;
@group(0) @binding(4) var<storage, read> partials4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> p4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> exp_avg4: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> exp_avg_sq4: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> last: array<u32>;

const threads = 64u;
const header = 4u;
const piece_length = 64u;
const capacity = 16384u; // scheduleCapacity

// Row of the gradient that a source means: see segment_sum.wgsl.
fn source_row(s: u32) -> u32 {
  return (s >> dims.example_bits) * dims.example_rows + (s & dims.position_mask);
}

// Sum of the sources (begin, end) of a row, listed from word `sources` on, or of the pieces from `first_piece` on if
// there are more than 64.
fn row_sum(sources: u32, begin: u32, end: u32, first_piece: u32, column: u32) -> vec4f {
  var total = vec4f();
  if (end - begin > piece_length) {
    let pieces = (end - begin + piece_length - 1u) / piece_length;
    for (var j = first_piece; j < first_piece + pieces; j++) {
      total += partials4[j * dims.width + column];
    }
    return total;
  }
  for (var k = begin; k < end; k++) {
    total += source4[source_row(segments[sources + k]) * dims.width + column];
  }
  return total;
}

// One invocation: a vec4 of a row.
@compute @workgroup_size(threads)
fn adam_fused_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let base = state.cursor * dims.stride;
  let count = select(segments[base] * dims.width, 0u, state.halted != 0u);
  let entry = state.schedule[state.step % capacity];
  let step = state.step;
  let clip = state.clip;
  let sources = base + header + 4u * dims.max_rows + 2u * dims.max_pieces;
  for (var i = id.x; i < count; i += groups.x * threads) {
    let row = base + header + 4u * (i / dims.width);
    let column = i % dims.width;
    let at = segments[row] * dims.width + column;
    let gradient = row_sum(sources, segments[row + 1u], segments[row + 2u], segments[row + 3u], column);
    let before = p4[at];
    let full = clip * gradient + dims.weight_decay * before;
    let m = dims.beta1 * exp_avg4[at] + dims.rest1 * full;
    let v = dims.beta2 * exp_avg_sq4[at] + dims.rest2 * full * full;
    p4[at] = before - entry.x * m / (entry.y * sqrt(v) + dims.eps);
    exp_avg4[at] = m;
    exp_avg_sq4[at] = v;
    last[at] = step + 1u;
  }
}
