// Rows of the batches of a chunk, from a source of rows that lies on the device, in the order of `numbers`:
//   feed_rows:  fed[step · capacity + i,:] = source[numbers[step · batch + i],:], zero behind the rows of a step
// Words are copied as they are, so they may be u32 or f32.

struct Dims {
  width: u32,
  capacity: u32, // rows of the longest batch
  steps: u32,
}

// What a chunk holds: rows, and those of a batch; the last may have fewer.
struct Chunk {
  rows: u32,
  batch: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> chunk: Chunk;
@group(0) @binding(2) var<storage, read> numbers: array<u32>;
@group(0) @binding(3) var<storage, read> source: array<u32>;
@group(0) @binding(4) var<storage, read_write> fed: array<u32>;

const threads = 64u;

// One invocation: a row, then those a grid further.
@compute @workgroup_size(threads)
fn feed_rows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.steps * dims.capacity; row += groups.x * threads) {
    let step = row / dims.capacity;
    let place = row - step * dims.capacity;
    let i = step * chunk.batch + place;
    let to = row * dims.width;
    if (place < chunk.batch && i < chunk.rows) {
      let begin = numbers[i] * dims.width;
      for (var j = 0u; j < dims.width; j++) {
        fed[to + j] = source[begin + j];
      }
    } else {
      for (var j = 0u; j < dims.width; j++) {
        fed[to + j] = 0u;
      }
    }
  }
}
