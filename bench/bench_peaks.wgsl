// What the adapter can do at best, by the plainest kernels there are:
//   bench_copy:       y[i] = x[i] over vec4s
//   bench_copy_words: y[i] = x[i] over floats
//   bench_fma:        chains of multiply-adds that do not wait for each other: 8 vec4s an invocation, 16 rounds each

struct Dims {
  count: u32,
  rounds: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const threads = 64u;

// One invocation: a vec4, then those a grid further.
@compute @workgroup_size(threads)
fn bench_copy(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[i] = x4[i];
  }
}

// One invocation: a float, then those a grid further.
@compute @workgroup_size(threads)
fn bench_copy_words(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y[i] = x[i];
  }
}

// One invocation: 8 chains of 4 lanes, dims.rounds · 4 links each.
@compute @workgroup_size(threads)
fn bench_fma(@builtin(global_invocation_id) id: vec3u) {
  let factor = x4[0];
  var a = x4[1] + f32(id.x);
  var b = a + 1.0;
  var c = a + 2.0;
  var d = a + 3.0;
  var e = a + 4.0;
  var f = a + 5.0;
  var g = a + 6.0;
  var h = a + 7.0;
  for (var round = 0u; round < dims.rounds; round++) {
    a = a * factor + factor;
    b = b * factor + factor;
    c = c * factor + factor;
    d = d * factor + factor;
    e = e * factor + factor;
    f = f * factor + factor;
    g = g * factor + factor;
    h = h * factor + factor;
    a = a * factor + factor;
    b = b * factor + factor;
    c = c * factor + factor;
    d = d * factor + factor;
    e = e * factor + factor;
    f = f * factor + factor;
    g = g * factor + factor;
    h = h * factor + factor;
    a = a * factor + factor;
    b = b * factor + factor;
    c = c * factor + factor;
    d = d * factor + factor;
    e = e * factor + factor;
    f = f * factor + factor;
    g = g * factor + factor;
    h = h * factor + factor;
    a = a * factor + factor;
    b = b * factor + factor;
    c = c * factor + factor;
    d = d * factor + factor;
    e = e * factor + factor;
    f = f * factor + factor;
    g = g * factor + factor;
    h = h * factor + factor;
  }
  if (id.x < dims.count) {
    y4[id.x] = a + b + c + d + e + f + g + h;
  }
}
