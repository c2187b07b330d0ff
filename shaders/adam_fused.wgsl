// adam_rows_vec4 of adam.wgsl straight from the sources of each row's gradient, as segment_sum_rows_vec4 sums them: the
// same bits without a gradient in between.
//   adam_fused_vec4:  the rows that the step names, after adam_replay and segment_sum_pieces

struct Dims {
  width: u32, // vec4s of a row
  stride: u32,
  max_rows: u32,
  max_pieces: u32,
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

// Sum of the sources (begin, end) of a row, or of the pieces from `first_piece` on if there are more than 64.
fn row_sum(begin: u32, end: u32, first_piece: u32, column: u32) -> vec4f {
  var total = vec4f();
  if (end - begin > piece_length) {
    let pieces = (end - begin + piece_length - 1u) / piece_length;
    for (var j = first_piece; j < first_piece + pieces; j++) {
      total += partials4[j * dims.width + column];
    }
    return total;
  }
  let sources = state.cursor * dims.stride + header + 4u * dims.max_rows + 2u * dims.max_pieces;
  for (var k = begin; k < end; k++) {
    total += source4[segments[sources + k] * dims.width + column];
  }
  return total;
}

// One invocation: a vec4 of a row.
@compute @workgroup_size(threads)
fn adam_fused_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let base = state.cursor * dims.stride;
  let count = select(segments[base] * dims.width, 0u, state.halted != 0u);
  let entry = state.schedule[state.step % capacity];
  for (var i = id.x; i < count; i += groups.x * threads) {
    let row = base + header + 4u * (i / dims.width);
    let column = i % dims.width;
    let at = segments[row] * dims.width + column;
    let gradient = row_sum(segments[row + 1u], segments[row + 2u], segments[row + 3u], column);
    let full = state.clip * gradient + dims.weight_decay * p4[at];
    let m = dims.beta1 * exp_avg4[at] + dims.rest1 * full;
    let v = dims.beta2 * exp_avg_sq4[at] + dims.rest2 * full * full;
    p4[at] -= entry.x * m / (entry.y * sqrt(v) + dims.eps);
    exp_avg4[at] = m;
    exp_avg_sq4[at] = v;
    last[at] = state.step + 1u;
  }
}
