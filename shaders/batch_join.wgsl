// Words of the current batch, row r = cursor · capacity + b of the fed rows:
//   batch_join_rows:   joined[b, joined_column + j] = rows[r, source_column + j]
//   batch_join_keyed:  joined[b, joined_column + j] = source[rows[r, key], source_column + j]
// for j < columns. Words are copied as they are, so they may be u32 or f32.
//   batch_join_whole:  joined = rows [r..,:], row_width of capacity rows are whole vec4s

struct Dims {
  batch: u32,
  capacity: u32,
  row_width: u32,
  key: u32,
  source_width: u32,
  source_column: u32,
  joined_width: u32,
  joined_column: u32,
  columns: u32,
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
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(1) var<storage, read> rows4: array<vec4u>;
@group(0) @binding(2) var<storage, read> source: array<u32>;
@group(0) @binding(3) var<storage, read> state: State;
@group(0) @binding(4) var<storage, read_write> joined: array<u32>;
@group(0) @binding(4) var<storage, read_write> joined4: array<vec4u>;

const threads = 64u;

// One invocation: one row of the batch, then those a grid further.
@compute @workgroup_size(threads)
fn batch_join_rows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let first = (state.cursor * dims.capacity + b) * dims.row_width + dims.source_column;
    let own = b * dims.joined_width + dims.joined_column;
    for (var j = 0u; j < dims.columns; j++) {
      joined[own + j] = rows[first + j];
    }
  }
}

// One invocation: one row of the batch.
@compute @workgroup_size(threads)
fn batch_join_keyed(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let row = rows[(state.cursor * dims.capacity + b) * dims.row_width + dims.key];
    let first = row * dims.source_width + dims.source_column;
    let own = b * dims.joined_width + dims.joined_column;
    for (var j = 0u; j < dims.columns; j++) {
      joined[own + j] = source[first + j];
    }
  }
}

// One invocation: four words.
@compute @workgroup_size(threads)
fn batch_join_whole(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = state.cursor * (dims.capacity * dims.row_width / 4u);
  for (var i = id.x; i < (dims.batch * dims.row_width + 3u) / 4u; i += groups.x * threads) {
    joined4[i] = rows4[first + i];
  }
}
