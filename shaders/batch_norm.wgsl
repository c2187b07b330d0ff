// Batch normalization of the columns of x [N,C], C in whole vec4s:
//   batch_norm_blocks:      mean and Σ (d − mean)² of d = x − x[0] over each block of rows
//   batch_norm_statistics:  shift = x[0], offset = mean of d, var = Σ (d − offset)² / N, united from the blocks
//   batch_norm_running:     shift = running_mean, offset = 0, var = running_var, in evaluation
//                           and of either scale = 1 / √(var + eps)
//   batch_norm_forward:     y = weight · x̂ + bias,  x̂ = (x − shift − offset) · scale
//   batch_norm_update:      running_mean and running_var += momentum · (that of the batch − what they are)
//   batch_norm_backward_blocks:  Σ dy · x̂ and Σ dy over each block of rows
//   batch_norm_backward_sums:    dweight = Σ dy · x̂,  dbias = Σ dy
//   batch_norm_backward:    dx = weight · scale · (dy − share · (dbias + x̂ · dweight))
//                           share = 1 / N, in evaluation 0
//   batch_norm_copy:        to whole vec4s of columns, or back
// The shift keeps a mean that is large beside the deviation out of every sum. What belongs to a vec4 of columns lies together:
//   statistics [C/4, 6 vec4s]:  shift, offset, scale, weight, bias, var
//   slopes [C/4, 6 vec4s]:      shift, offset, scale, weight · scale, share · dweight, share · dbias

struct Dims {
  rows: u32,
  quads: u32,
  block: u32,
  eps: f32,
  share: f32,
  momentum: f32,
  unbias: f32,
  cols: u32,
  from_cols: u32,
  to_cols: u32,
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
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(2) var<storage, read> blocks: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> statistics: array<vec4f>;
@group(0) @binding(3) var<storage, read> known: array<vec4f>;
@group(0) @binding(4) var<storage, read> weight: array<vec4f>;
@group(0) @binding(5) var<storage, read> bias: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> running_mean: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> running_var: array<vec4f>;
@group(0) @binding(9) var<storage, read> state: State;
@group(0) @binding(10) var<storage, read> dy: array<vec4f>;
@group(0) @binding(11) var<storage, read_write> dweight: array<vec4f>;
@group(0) @binding(12) var<storage, read_write> dbias: array<vec4f>;
@group(0) @binding(13) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(16) var<storage, read_write> slopes: array<vec4f>;
@group(0) @binding(16) var<storage, read> ready: array<vec4f>;
@group(0) @binding(14) var<storage, read> words: array<f32>;
@group(0) @binding(15) var<storage, read_write> copies: array<f32>;

const threads = 64u;

// Eight columns in a block of rows, the vec4s a and b of each: as many as registers suffice for. Rows begin at first,
// first + quads, … below end. Where there are fewer columns the last vec4 is taken again.
struct Block {
  index: u32,
  a: u32,
  b: u32,
  first: u32,
  end: u32,
}

fn pairs() -> u32 {
  return (dims.quads + 1u) / 2u;
}

fn block_at(i: u32) -> Block {
  let index = i / pairs();
  let a = 2u * (i % pairs());
  let first = index * dims.block;
  let end = min(first + dims.block, dims.rows);
  return Block(index, a, min(a + 1u, dims.quads - 1u), first * dims.quads, end * dims.quads);
}

fn block_count() -> u32 {
  return (dims.rows + dims.block - 1u) / dims.block;
}

fn rows_of(index: u32) -> f32 {
  let first = index * dims.block;
  return f32(min(first + dims.block, dims.rows) - first);
}

struct Column {
  shift: vec4f,
  offset: vec4f,
  scale: vec4f,
}

fn column_at(column: u32) -> Column {
  return Column(known[6u * column], known[6u * column + 1u], known[6u * column + 2u]);
}

fn normal(c: Column, v: vec4f) -> vec4f {
  return ((v - c.shift) - c.offset) * c.scale;
}

fn put_statistics(column: u32, shift: vec4f, offset: vec4f, variance: vec4f) {
  statistics[6u * column] = shift;
  statistics[6u * column + 1u] = offset;
  statistics[6u * column + 2u] = inverseSqrt(variance + dims.eps);
  statistics[6u * column + 3u] = weight[column];
  statistics[6u * column + 4u] = bias[column];
  statistics[6u * column + 5u] = variance;
}

// One invocation: eight columns of one block. Two passes, since the second finds its rows in the cache.
@compute @workgroup_size(threads)
fn batch_norm_blocks(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < pairs() * block_count(); i += groups.x * threads) {
    let t = block_at(i);
    let shift_a = x[t.a];
    let shift_b = x[t.b];
    var sum_a = vec4f();
    var sum_b = vec4f();
    for (var k = t.first; k < t.end; k += dims.quads) {
      sum_a += x[k + t.a] - shift_a;
      sum_b += x[k + t.b] - shift_b;
    }
    let mean_a = sum_a / rows_of(t.index);
    let mean_b = sum_b / rows_of(t.index);
    var squares_a = vec4f();
    var squares_b = vec4f();
    for (var k = t.first; k < t.end; k += dims.quads) {
      let a = (x[k + t.a] - shift_a) - mean_a;
      let b = (x[k + t.b] - shift_b) - mean_b;
      squares_a += a * a;
      squares_b += b * b;
    }
    let at = 2u * t.index * dims.quads;
    partials[at + t.a] = mean_a;
    partials[at + t.b] = mean_b;
    partials[at + dims.quads + t.a] = squares_a;
    partials[at + dims.quads + t.b] = squares_b;
  }
}

// One invocation: four columns. Chan, Golub and LeVeque 1979: squares about block means, and those about their mean.
@compute @workgroup_size(threads)
fn batch_norm_statistics(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    var total = vec4f();
    for (var b = 0u; b < block_count(); b++) {
      total += rows_of(b) * blocks[2u * b * dims.quads + i];
    }
    let offset = total / f32(dims.rows);
    var squares = vec4f();
    for (var b = 0u; b < block_count(); b++) {
      let d = blocks[2u * b * dims.quads + i] - offset;
      squares += blocks[(2u * b + 1u) * dims.quads + i] + rows_of(b) * d * d;
    }
    put_statistics(i, x[i], offset, squares / f32(dims.rows));
  }
}

// One invocation: four columns.
@compute @workgroup_size(threads)
fn batch_norm_running(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    put_statistics(i, running_mean[i], vec4f(), running_var[i]);
  }
}

// One invocation: a vec4 of y, then those a grid further.
@compute @workgroup_size(threads)
fn batch_norm_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var k = id.x; k < dims.rows * dims.quads; k += groups.x * threads) {
    let at = 6u * (k % dims.quads);
    y[k] = known[at + 3u] * (((x[k] - known[at]) - known[at + 1u]) * known[at + 2u]) + known[at + 4u];
  }
}

// One invocation: four columns.
@compute @workgroup_size(threads)
fn batch_norm_update(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  if (state.halted != 0u) {
    return;
  }
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    let mean = known[6u * i] + known[6u * i + 1u];
    let variance = dims.unbias * known[6u * i + 5u];
    running_mean[i] = mix(running_mean[i], mean, dims.momentum);
    running_var[i] = mix(running_var[i], variance, dims.momentum);
  }
}

// One invocation: eight columns of one block.
@compute @workgroup_size(threads)
fn batch_norm_backward_blocks(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < pairs() * block_count(); i += groups.x * threads) {
    let t = block_at(i);
    let a = column_at(t.a);
    let b = column_at(t.b);
    var products_a = vec4f();
    var products_b = vec4f();
    var sum_a = vec4f();
    var sum_b = vec4f();
    for (var k = t.first; k < t.end; k += dims.quads) {
      products_a += dy[k + t.a] * normal(a, x[k + t.a]);
      sum_a += dy[k + t.a];
      products_b += dy[k + t.b] * normal(b, x[k + t.b]);
      sum_b += dy[k + t.b];
    }
    let at = 2u * t.index * dims.quads;
    partials[at + t.a] = products_a;
    partials[at + t.b] = products_b;
    partials[at + dims.quads + t.a] = sum_a;
    partials[at + dims.quads + t.b] = sum_b;
  }
}

// One invocation: four columns.
@compute @workgroup_size(threads)
fn batch_norm_backward_sums(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    var products = vec4f();
    var total = vec4f();
    for (var b = 0u; b < block_count(); b++) {
      products += blocks[2u * b * dims.quads + i];
      total += blocks[(2u * b + 1u) * dims.quads + i];
    }
    dweight[i] = products;
    dbias[i] = total;
    let c = column_at(i);
    slopes[6u * i] = c.shift;
    slopes[6u * i + 1u] = c.offset;
    slopes[6u * i + 2u] = c.scale;
    slopes[6u * i + 3u] = known[6u * i + 3u] * c.scale;
    slopes[6u * i + 4u] = dims.share * products;
    slopes[6u * i + 5u] = dims.share * total;
  }
}

// One invocation: a vec4 of dx, then those a grid further.
@compute @workgroup_size(threads)
fn batch_norm_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var k = id.x; k < dims.rows * dims.quads; k += groups.x * threads) {
    let at = 6u * (k % dims.quads);
    let normal = ((x[k] - ready[at]) - ready[at + 1u]) * ready[at + 2u];
    dx[k] = ready[at + 3u] * (dy[k] - (ready[at + 5u] + ready[at + 4u] * normal));
  }
}

// One invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn batch_norm_copy(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    for (var c = 0u; c < dims.cols; c++) {
      copies[row * dims.to_cols + c] = words[row * dims.from_cols + c];
    }
  }
}
