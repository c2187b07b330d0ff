// A second operand repeated over the first, and the sums that undo it.
//   broadcast_add:  y[r,c] = a[r,c] + factor · b[r · row_step + c · col_step]      a, y [rows,cols]
//   broadcast_mul:  y[r,c] = a[r,c] · b[r · row_step + c · col_step]
//     _scalar: b [1]; _row: b [cols] in whole vec4s; _column: b [rows], one for each row of vec4s; cols is then counted in vec4s
//   sum:            y[o,w] = factor · Σ_j x[o, w + j · width]   x [outer,length], the last row up to total; y [outer,width]
//   sum_product:    the same with x · z for x
//     _vec4: length and width in whole vec4s, counted so; _lanes: length in vec4s, width 1
//   spread:         y[o,l] = factor · x[o, l % inner]           x [outer,inner], y [outer,length]; width
//                   is a multiple of inner: what one invocation leaps
//     _vec4: everything in whole vec4s; _lanes: inner 1, the others in vec4s
// Where numbers are single nothing divides in a loop: integer division is slow. Neighbouring invocations read neighbours. See sums.ts.

struct Dims {
  count: u32,
  rows: u32,
  cols: u32,
  row_step: u32,
  col_step: u32,
  block: u32,
  length: u32,
  total: u32,
  width: u32,
  inner: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> a4: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> b4: array<vec4f>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> x4: array<vec4f>;
@group(0) @binding(4) var<storage, read> z: array<f32>;
@group(0) @binding(4) var<storage, read> z4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> y4: array<vec4f>;

const threads = 64u;

// One column of a block of rows: [r, end).
struct Tile {
  r: u32,
  end: u32,
  c: u32,
}

fn tile(i: u32) -> Tile {
  let first = i / dims.cols * dims.block;
  return Tile(first, min(first + dims.block, dims.rows), i % dims.cols);
}

// Every width-th of a row: [k, end); below `fours` there are four of them.
struct Stride {
  k: u32,
  fours: u32,
  end: u32,
}

fn stride(i: u32) -> Stride {
  let first = i / dims.width * dims.length;
  let end = min(first + dims.length, dims.total);
  return Stride(first + i % dims.width, max(end, 3u * dims.width) - 3u * dims.width, end);
}

// One invocation of broadcast_add and broadcast_mul: one column of a block of rows. Of the others: a vec4 of y, then those a
// grid further.
@compute @workgroup_size(threads)
fn broadcast_add(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let t = tile(i);
    for (var r = t.r; r < t.end; r++) {
      let k = r * dims.cols + t.c;
      y[k] = a[k] + dims.factor * b[r * dims.row_step + t.c * dims.col_step];
    }
  }
}

@compute @workgroup_size(threads)
fn broadcast_add_scalar(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let term = dims.factor * b[0];
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[i] = a4[i] + term;
  }
}

@compute @workgroup_size(threads)
fn broadcast_add_row(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[i] = a4[i] + dims.factor * b4[i % dims.cols];
  }
}

@compute @workgroup_size(threads)
fn broadcast_add_column(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[i] = a4[i] + dims.factor * b[i / dims.cols];
  }
}

@compute @workgroup_size(threads)
fn broadcast_mul(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let t = tile(i);
    for (var r = t.r; r < t.end; r++) {
      let k = r * dims.cols + t.c;
      y[k] = a[k] * b[r * dims.row_step + t.c * dims.col_step];
    }
  }
}

@compute @workgroup_size(threads)
fn broadcast_mul_scalar(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let factor = b[0];
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[i] = a4[i] * factor;
  }
}

@compute @workgroup_size(threads)
fn broadcast_mul_row(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[i] = a4[i] * b4[i % dims.cols];
  }
}

@compute @workgroup_size(threads)
fn broadcast_mul_column(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[i] = a4[i] * b[i / dims.cols];
  }
}

// One invocation of each sum: an element or vec4 of y.
@compute @workgroup_size(threads)
fn sum(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let s = stride(i);
    var total = 0.0;
    for (var k = s.k; k < s.end; k += dims.width) {
      total += x[k];
    }
    y[i] = dims.factor * total;
  }
}

@compute @workgroup_size(threads)
fn sum_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let s = stride(i);
    var total = vec4f();
    var other = vec4f();
    var k = s.k;
    for (; k < s.fours; k += 4u * dims.width) {
      total += x4[k];
      other += x4[k + dims.width];
      total += x4[k + 2u * dims.width];
      other += x4[k + 3u * dims.width];
    }
    for (; k < s.end; k += dims.width) {
      total += x4[k];
    }
    y4[i] = dims.factor * (total + other);
  }
}

@compute @workgroup_size(threads)
fn sum_lanes(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    var total = vec4f();
    for (var k = i * dims.length; k < (i + 1u) * dims.length; k++) {
      total += x4[k];
    }
    y[i] = dims.factor * dot(total, vec4f(1.0));
  }
}

@compute @workgroup_size(threads)
fn sum_product(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let s = stride(i);
    var total = 0.0;
    for (var k = s.k; k < s.end; k += dims.width) {
      total += x[k] * z[k];
    }
    y[i] = dims.factor * total;
  }
}

@compute @workgroup_size(threads)
fn sum_product_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let s = stride(i);
    var total = vec4f();
    var other = vec4f();
    var k = s.k;
    for (; k < s.fours; k += 4u * dims.width) {
      total += x4[k] * z4[k];
      other += x4[k + dims.width] * z4[k + dims.width];
      total += x4[k + 2u * dims.width] * z4[k + 2u * dims.width];
      other += x4[k + 3u * dims.width] * z4[k + 3u * dims.width];
    }
    for (; k < s.end; k += dims.width) {
      total += x4[k] * z4[k];
    }
    y4[i] = dims.factor * (total + other);
  }
}

@compute @workgroup_size(threads)
fn sum_product_lanes(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    var total = vec4f();
    for (var k = i * dims.length; k < (i + 1u) * dims.length; k++) {
      total += x4[k] * z4[k];
    }
    y[i] = dims.factor * dot(total, vec4f(1.0));
  }
}

// One invocation of each spread: the elements or vec4s of y that are a width apart.
@compute @workgroup_size(threads)
fn spread(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let s = stride(i);
    let value = dims.factor * x[i / dims.width * dims.inner + i % dims.width % dims.inner];
    for (var k = s.k; k < s.end; k += dims.width) {
      y[k] = value;
    }
  }
}

@compute @workgroup_size(threads)
fn spread_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let s = stride(i);
    let value = dims.factor * x4[i / dims.width * dims.inner + i % dims.width % dims.inner];
    for (var k = s.k; k < s.end; k += dims.width) {
      y4[k] = value;
    }
  }
}

@compute @workgroup_size(threads)
fn spread_lanes(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let s = stride(i);
    let value = vec4f(dims.factor * x[i / dims.width]);
    for (var k = s.k; k < s.end; k += dims.width) {
      y4[k] = value;
    }
  }
}
