// Batch normalization of the columns of x [N,C], C in whole vec4s:
//   batch_norm_blocks:      mean and Σ (d − mean)² of d = x − x[0] over each block of rows
//   batch_norm_statistics:  shift = x[0], offset = mean of d, var = Σ (d − offset)² / N, united from the blocks
//   batch_norm_running:     shift = running_mean, offset = 0, var = running_var, in evaluation
//   batch_norm_forward:     y = weight · x̂ + bias,  x̂ = (x − shift − offset) / √(var + eps)
//   batch_norm_update:      running_mean and running_var += momentum · (that of the batch − what they are)
//   batch_norm_backward_blocks:  Σ dy · x̂ and Σ dy over each block of rows
//   batch_norm_backward_sums:    dweight = Σ dy · x̂,  dbias = Σ dy
//   batch_norm_backward:    dx = weight / √(var + eps) · (dy − share · (dbias + x̂ · dweight))
//                           share = 1 / N, in evaluation 0
//   batch_norm_copy:        to whole vec4s of columns, or back
// The shift keeps a mean that is large beside the deviation out of every sum.

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
@group(0) @binding(11) var<storage, read> weight_sum: array<vec4f>;
@group(0) @binding(12) var<storage, read_write> dbias: array<vec4f>;
@group(0) @binding(12) var<storage, read> bias_sum: array<vec4f>;
@group(0) @binding(13) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(14) var<storage, read> words: array<f32>;
@group(0) @binding(15) var<storage, read_write> copies: array<f32>;

const threads = 64u;

// Four columns in a block of rows: vec4s first, first + quads, … below end.
struct Block {
  index: u32,
  column: u32,
  first: u32,
  end: u32,
  rows: f32,
}

fn block_at(i: u32) -> Block {
  let index = i / dims.quads;
  let column = i % dims.quads;
  let end = min((index + 1u) * dims.block, dims.rows);
  let first = index * dims.block;
  return Block(index, column, first * dims.quads + column, end * dims.quads, f32(end - first));
}

fn block_count() -> u32 {
  return (dims.rows + dims.block - 1u) / dims.block;
}

struct Column {
  shift: vec4f,
  offset: vec4f,
  scale: vec4f,
}

fn column_at(column: u32) -> Column {
  let scale = inverseSqrt(known[2u * dims.quads + column] + dims.eps);
  return Column(known[column], known[dims.quads + column], scale);
}

fn normal(c: Column, v: vec4f) -> vec4f {
  return ((v - c.shift) - c.offset) * c.scale;
}

// One invocation: four columns of one block. Two passes, since the second finds its rows in the cache.
@compute @workgroup_size(threads)
fn batch_norm_blocks(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads * block_count(); i += groups.x * threads) {
    let b = block_at(i);
    let shift = x[b.column];
    var total = vec4f();
    for (var k = b.first; k < b.end; k += dims.quads) {
      total += x[k] - shift;
    }
    let mean = total / b.rows;
    var squares = vec4f();
    for (var k = b.first; k < b.end; k += dims.quads) {
      let d = (x[k] - shift) - mean;
      squares += d * d;
    }
    partials[2u * b.index * dims.quads + b.column] = mean;
    partials[(2u * b.index + 1u) * dims.quads + b.column] = squares;
  }
}

// One invocation: four columns. Chan, Golub and LeVeque 1979: squares about block means, and those about their mean.
@compute @workgroup_size(threads)
fn batch_norm_statistics(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    var total = vec4f();
    for (var b = 0u; b < block_count(); b++) {
      total += block_at(b * dims.quads).rows * blocks[2u * b * dims.quads + i];
    }
    let offset = total / f32(dims.rows);
    var squares = vec4f();
    for (var b = 0u; b < block_count(); b++) {
      let d = blocks[2u * b * dims.quads + i] - offset;
      squares += blocks[(2u * b + 1u) * dims.quads + i] + block_at(b * dims.quads).rows * d * d;
    }
    statistics[i] = x[i];
    statistics[dims.quads + i] = offset;
    statistics[2u * dims.quads + i] = squares / f32(dims.rows);
  }
}

// One invocation: four columns.
@compute @workgroup_size(threads)
fn batch_norm_running(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    statistics[i] = running_mean[i];
    statistics[dims.quads + i] = vec4f();
    statistics[2u * dims.quads + i] = running_var[i];
  }
}

// One invocation: four columns of one block.
@compute @workgroup_size(threads)
fn batch_norm_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads * block_count(); i += groups.x * threads) {
    let b = block_at(i);
    let c = column_at(b.column);
    let w = weight[b.column];
    let w0 = bias[b.column];
    for (var k = b.first; k < b.end; k += dims.quads) {
      y[k] = w * normal(c, x[k]) + w0;
    }
  }
}

// One invocation: four columns.
@compute @workgroup_size(threads)
fn batch_norm_update(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  if (state.halted != 0u) {
    return;
  }
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    let mean = known[i] + known[dims.quads + i];
    let variance = dims.unbias * known[2u * dims.quads + i];
    running_mean[i] = mix(running_mean[i], mean, dims.momentum);
    running_var[i] = mix(running_var[i], variance, dims.momentum);
  }
}

// One invocation: four columns of one block.
@compute @workgroup_size(threads)
fn batch_norm_backward_blocks(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads * block_count(); i += groups.x * threads) {
    let b = block_at(i);
    let c = column_at(b.column);
    var products = vec4f();
    var total = vec4f();
    for (var k = b.first; k < b.end; k += dims.quads) {
      products += dy[k] * normal(c, x[k]);
      total += dy[k];
    }
    partials[2u * b.index * dims.quads + b.column] = products;
    partials[(2u * b.index + 1u) * dims.quads + b.column] = total;
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
  }
}

// One invocation: four columns of one block.
@compute @workgroup_size(threads)
fn batch_norm_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads * block_count(); i += groups.x * threads) {
    let b = block_at(i);
    let c = column_at(b.column);
    let factor = weight[b.column] * c.scale;
    let slope = dims.share * weight_sum[b.column];
    let mean = dims.share * bias_sum[b.column];
    for (var k = b.first; k < b.end; k += dims.quads) {
      dx[k] = factor * (dy[k] - (mean + slope * normal(c, x[k])));
    }
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
