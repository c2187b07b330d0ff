// The frame of a step.
//   step_record:   history[cursor · stride + offset + i] = value[i]
//   step_check:    the same for a loss, and halts the run if it is not finite
//   step_advance:  step += 1, cursor += 1, unless halted
//   step_recount:  once halted: a row counts no step that was not made (see RowsReplay.last)
// Not finite is asked of the bits, since WGSL may assume that there is no NaN.

struct Dims {
  count: u32,
  stride: u32,
  offset: u32,
}

struct State {
  step: u32,
  cursor: u32,
  halted: u32,
  seed: u32,
  clip: f32,
  unused0: u32,
  unused1: u32,
  unused2: u32,
  schedule: array<vec4f>,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> value: array<u32>;
@group(0) @binding(2) var<storage, read_write> history: array<u32>;
@group(0) @binding(3) var<storage, read_write> state: State;

@group(0) @binding(4) var<storage, read_write> last: array<u32>;

const threads = 64u;

// One invocation: a word of the value, then those a grid further.
@compute @workgroup_size(threads)
fn step_record(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = state.cursor * dims.stride + dims.offset;
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    history[at + i] = value[i];
  }
}

// One invocation in all.
@compute @workgroup_size(1)
fn step_check() {
  history[state.cursor * dims.stride + dims.offset] = value[0];
  if ((value[0] & 0x7f800000u) == 0x7f800000u) {
    state.halted = 1u;
  }
}

// One invocation in all.
@compute @workgroup_size(1)
fn step_advance() {
  if (state.halted == 0u) {
    state.step += 1u;
    state.cursor += 1u;
  }
}

// One invocation: a row, then those a grid further.
@compute @workgroup_size(threads)
fn step_recount(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = select(0u, dims.count, state.halted != 0u);
  for (var i = id.x; i < count; i += groups.x * threads) {
    last[i] = min(last[i], state.step);
  }
}
