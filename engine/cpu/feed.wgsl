// Rows of the batches of a chunk, from a source of rows that lies on the device, in the order of `numbers`:
//   feed_rows:  fed[step · capacity + i,:] = source[numbers[step · batch + i],:], zero behind the rows of a step
// Words are copied as they are, so they may be u32 or f32.

struct Dims {
  width: u32, // vec4s of a row
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
@group(0) @binding(3) var<storage, read> source4: array<vec4u>;
@group(0) @binding(4) var<storage, read_write> fed4: array<vec4u>;

const threads = 64u;
// Rows that are asked for before any is copied: memory gives many at once in the time of a few.
const ahead = 128u;

// Row numbers of the chunk that `row` and those behind it in its block need, read ahead of their use.
fn touch(first: u32) -> vec4u {
  var seen = vec4u();
  for (var k = 0u; k < ahead; k++) {
    let number = numbers[min(first + k, chunk.rows - 1u)];
    seen = max(seen, source4[number * dims.width]);
  }
  return seen;
}

// One invocation: a block of rows, then those a grid further.
@compute @workgroup_size(threads)
fn feed_rows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let rows = dims.steps * dims.capacity;
  let parts = (rows + ahead - 1u) / ahead;
  for (var part = id.x; part < parts; part += groups.x * threads) {
    let begin = part * ahead;
    // What is touched is written, or nothing would be read; then the row itself.
    fed4[begin * dims.width] = touch(begin / dims.capacity * chunk.batch + begin % dims.capacity);
    for (var row = begin; row < min(begin + ahead, rows); row++) {
      let step = row / dims.capacity;
      let place = row - step * dims.capacity;
      let i = step * chunk.batch + place;
      let to = row * dims.width;
      if (place < chunk.batch && i < chunk.rows) {
        let from_row = numbers[i] * dims.width;
        for (var j = 0u; j < dims.width; j++) {
          fed4[to + j] = source4[from_row + j];
        }
      } else {
        for (var j = 0u; j < dims.width; j++) {
          fed4[to + j] = vec4u();
        }
      }
    }
  }
}
