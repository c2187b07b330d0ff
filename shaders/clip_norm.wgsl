// Scales gradients so that their joint 2-norm is at most max_norm, as torch.nn.utils.clip_grad_norm_ does.
//   clip_norm_squares:  partials[offset + i] = Σ g² over the vec4s i, i + parts, i + 2·parts, … of g
//   clip_norm_totals:   totals[i] = Σ partials over i, i + 64, i + 128, …
//   clip_norm_factor:   state.clip = min(1, max_norm / (√(Σ totals) + 1e-6))
//   clip_norm_reset:    state.clip = 1

struct Dims {
  count: u32,
  parts: u32,
  offset: u32,
  max_norm: f32,
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
@group(0) @binding(1) var<storage, read> g4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;
@group(0) @binding(3) var<storage, read_write> totals: array<f32>;
@group(0) @binding(4) var<storage, read_write> state: State;

const threads = 64u;
const total_count = 64u;

// One invocation: one part. What pads the last vec4 is arbitrary, so it is left out.
@compute @workgroup_size(threads)
fn clip_norm_squares(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.parts) {
    return;
  }
  var squares = vec4f();
  for (var i = id.x; i < dims.count / 4u; i += dims.parts) {
    squares += g4[i] * g4[i];
  }
  if (dims.count % 4u != 0u && id.x == 0u) {
    let tail = g4[dims.count / 4u];
    squares += select(vec4f(), tail * tail, vec4u(0u, 1u, 2u, 3u) < vec4u(dims.count % 4u));
  }
  partials[dims.offset + id.x] = (squares.x + squares.y) + (squares.z + squares.w);
}

// One invocation: one total.
@compute @workgroup_size(threads)
fn clip_norm_totals(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= total_count) {
    return;
  }
  var sum = 0.0;
  for (var i = id.x; i < dims.count; i += total_count) {
    sum += partials[i];
  }
  totals[id.x] = sum;
}

// One invocation in all.
@compute @workgroup_size(1)
fn clip_norm_factor() {
  var sum = 0.0;
  for (var i = 0u; i < total_count; i++) {
    sum += totals[i];
  }
  state.clip = min(1.0, dims.max_norm / (sqrt(sum) + 1e-6));
}

// One invocation in all.
@compute @workgroup_size(1)
fn clip_norm_reset() {
  state.clip = 1.0;
}
