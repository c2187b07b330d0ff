// RMSprop (Tieleman and Hinton, 2012) with the arithmetic of torch.optim.RMSprop, lr: schedule[t − 1]:
//   g = clip · gradient + weight_decay · p      v = αv + (1 − α)g²      p = p − lr · g / (√v + ε)
//   rmsprop_dense:   all of p
//   rmsprop_rows:    the rows that the step names, from their gradients g[i,:]
//   rmsprop_replay:  the steps that these rows (or, with dims.count, all) missed, whose gradient was zero
// A cell is a vec4 of a row in _vec4 entries, else a float; last[row] counts the steps that are in a row once the step
// at hand, which will update the rows it names, is over.

struct Dims {
  count: u32, // cells of p, or rows where a kernel replays; 0 for those that the step names
  width: u32, // cells of a row
  stride: u32,
  alpha: f32,
  rest: f32, // 1 − α
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
  v: vec4f,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> segments: array<u32>;
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read> g4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> p: array<f32>;
@group(0) @binding(4) var<storage, read_write> p4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> square_avg: array<f32>;
@group(0) @binding(5) var<storage, read_write> square_avg4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> last: array<u32>;

const threads = 64u;
const header = 4u;
const capacity = 16384u; // scheduleCapacity

fn update(start: Cell, gradient: vec4f, t: u32) -> Cell {
  let full = gradient + dims.weight_decay * start.p;
  let v = dims.alpha * start.v + dims.rest * full * full;
  return Cell(start.p - state.schedule[t % capacity].x * full / (sqrt(v) + dims.eps), v);
}

fn replay(start: Cell, first: u32) -> Cell {
  var cell = start;
  for (var t = first; t < state.step; t++) {
    cell = update(cell, vec4f(), t);
  }
  return cell;
}

// Floats go through the arithmetic of vec4s, of which the compiler drops three quarters.
fn load(at: u32) -> Cell {
  return Cell(vec4f(p[at]), vec4f(square_avg[at]));
}

fn load_vec4(at: u32) -> Cell {
  return Cell(p4[at], square_avg4[at]);
}

fn store(at: u32, cell: Cell) {
  p[at] = cell.p.x;
  square_avg[at] = cell.v.x;
}

fn store_vec4(at: u32, cell: Cell) {
  p4[at] = cell.p;
  square_avg4[at] = cell.v;
}

// Cells of the rows that the step names; none once the run is halted.
fn named_cells() -> u32 {
  return select(segments[state.cursor * dims.stride] * dims.width, 0u, state.halted != 0u);
}

// Where the i-th of them is in the table.
fn cell_at(i: u32) -> u32 {
  let row = segments[state.cursor * dims.stride + header + 4u * (i / dims.width)];
  return row * dims.width + i % dims.width;
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

// One invocation: a vec4, then those a grid further.
@compute @workgroup_size(threads)
fn rmsprop_dense(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = select(dims.count, 0u, state.halted != 0u);
  for (var i = id.x; i < count; i += groups.x * threads) {
    store_vec4(i, update(load_vec4(i), state.clip * g4[i], state.step));
  }
}

// One invocation: a float of a row.
@compute @workgroup_size(threads)
fn rmsprop_rows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = named_cells();
  for (var i = id.x; i < count; i += groups.x * threads) {
    let at = cell_at(i);
    store(at, update(load(at), vec4f(state.clip * g[i]), state.step));
  }
}

// One invocation: a vec4 of a row.
@compute @workgroup_size(threads)
fn rmsprop_rows_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = named_cells();
  for (var i = id.x; i < count; i += groups.x * threads) {
    let at = cell_at(i);
    store_vec4(at, update(load_vec4(at), state.clip * g4[i], state.step));
  }
}

// One invocation: a row.
@compute @workgroup_size(threads)
fn rmsprop_replay(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = row_count();
  for (var i = id.x; i < count; i += groups.x * threads) {
    let row = row_at(i);
    let first = count_up(row);
    if (first < state.step) {
      for (var at = row * dims.width; at < (row + 1u) * dims.width; at++) {
        store(at, replay(load(at), first));
      }
    }
  }
}

// One invocation: a row of whole vec4s.
@compute @workgroup_size(threads)
fn rmsprop_replay_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = row_count();
  for (var i = id.x; i < count; i += groups.x * threads) {
    let row = row_at(i);
    let first = count_up(row);
    if (first < state.step) {
      for (var at = row * dims.width; at < (row + 1u) * dims.width; at++) {
        store_vec4(at, replay(load_vec4(at), first));
      }
    }
  }
}
