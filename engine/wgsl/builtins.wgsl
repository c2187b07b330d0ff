// WGSL's mathematical functions for targets without them: one of vec4s each, from which scalar.ts derives that of f32.
// Straight-line code: special values are selected, not branched to. NaN gives NaN. Errors are in builtins.test.ts, far
// below what WGSL allows. Coefficients are minimax fits (Remez), rounded to f32 one after the other.
//   exp exp2 pow          x = n + f: n goes to the exponent bits, 2^f is a polynomial; exp and exp2 are 0 below 2⁻¹²⁶
//   sinh cosh tanh        sinh and tanh from e^|x| - 1, which keeps the digits of small x
//   log log2              x = 2ⁿ·m with m in [√½, √2): log m = 2 atanh s, s = (m - 1) / (m + 1)
//   asinh acosh atanh     log(1 + u) with what rounding 1 + u lost
//   sin cos tan           x - n·π/2 with π/2 in four pieces (Cody and Waite), exact for |x| < 12,000;
//                         from 2²² on, where neighbours are half a radian apart, x counts as 0
//   asin acos atan atan2  odd polynomials near 0, elsewhere of half the angle or the angle to π/4

// Adding 1.5·2²³ rounds to an integer, ties to even, and leaves it in the low bits of the sum. The compiler must keep
// the order of sums: WGSL allows x + integer - integer to become x, and drivers of GPUs do that.
const integer = 12582912.0;
const largest = 3.4028234663852886e38;
const log2_of_e = 1.4426950216293335;
// High parts have so few bits that n times them is exact.
const ln2_high = 0.693145751953125;
const ln2_low = 1.428606765330187e-6;
const two_over_pi = 0.6366197466850281;
const quarter_pi = 0.7853982448577881;
const quarter_pi_low = -8.146034247147327e-8;

// The sign of `sign` on a `magnitude` >= 0.
fn with_sign_vec4(magnitude: vec4f, sign: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(magnitude) | (bitcast<vec4u>(sign) & vec4u(0x80000000u)));
}

// The leading 12 of 24 bits: products of two such numbers are exact.
fn leading_vec4(x: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(x) & vec4u(0xfffff000u));
}

// e^(x - n·ln 2) - 1, where n is the integer next to x / ln 2.
fn exp_fraction_vec4(x: vec4f, n: vec4f) -> vec4f {
  let r = (x - n * ln2_high) - n * ln2_low;
  let s = r * r;
  let q = (0.49999994 + r * 0.16666517) + s * ((0.041668102 + r * 0.0083691925) + s * 0.0013838903);
  return r + s * q;
}

// 2^f for |f| <= 1/2.
fn exp2_fraction_vec4(f: vec4f) -> vec4f {
  let q = 0.055502724 + f * (0.009617063 + f * (0.0013418222 + f * 0.00015820006));
  return 1.0 + f * (0.69314724 + f * (0.24022655 + f * q));
}

// y·2ⁿ for y about 1, if that is a normal number. Only the lower bits of n count.
fn scale_vec4(y: vec4f, n: vec4i) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4i>(y) + (n << vec4u(23u)));
}

fn exp_vec4(x: vec4f) -> vec4f {
  let shifted = x * log2_of_e + integer;
  let y = scale_vec4(1.0 + exp_fraction_vec4(x, shifted - integer), bitcast<vec4i>(shifted));
  return select(select(x * largest, y, x <= vec4f(88.72283)), vec4f(), x < vec4f(-87.33654));
}

fn exp2_vec4(x: vec4f) -> vec4f {
  let shifted = x + integer;
  let y = scale_vec4(exp2_fraction_vec4(x - (shifted - integer)), bitcast<vec4i>(shifted));
  return select(select(x * largest, y, x < vec4f(128.0)), vec4f(), x < vec4f(-126.0));
}

fn tanh_vec4(x: vec4f) -> vec4f {
  // From 9.1 on the quotient rounds to 1.
  let a = 2.0 * select(abs(x), vec4f(9.1), abs(x) > vec4f(9.1));
  let shifted = a * log2_of_e + integer;
  let power = scale_vec4(vec4f(1.0), bitcast<vec4i>(shifted));
  let e = (power - 1.0) + power * exp_fraction_vec4(a, shifted - integer);
  return with_sign_vec4(e / (e + 2.0), x);
}

fn sinh_vec4(x: vec4f) -> vec4f {
  let a = abs(x);
  let shifted = a * log2_of_e + integer;
  // A quarter of 2ⁿ, because sinh is finite a little beyond 2¹²⁸ = e^88.7.
  let power = scale_vec4(vec4f(0.25), bitcast<vec4i>(shifted));
  let half = 2.0 * ((power - 0.25) + power * exp_fraction_vec4(a, shifted - integer));
  let y = half + half / (2.0 * half + 1.0);
  return with_sign_vec4(select(a * largest, y, a <= vec4f(89.415985)), x);
}

fn cosh_vec4(x: vec4f) -> vec4f {
  let a = abs(x);
  let shifted = a * log2_of_e + integer;
  let half = scale_vec4(0.5 + 0.5 * exp_fraction_vec4(a, shifted - integer), bitcast<vec4i>(shifted));
  return select(a * largest, half + 0.25 / half, a <= vec4f(89.415985));
}

// The bits of x less those of √½: n is in the exponent's place, m in the rest. Denormals are scaled to have an exponent.
fn log_bits_vec4(x: vec4f) -> vec4i {
  let small = x < vec4f(1.17549435e-38);
  return bitcast<vec4i>(select(x, x * 8388608.0, small)) - select(vec4i(0x3f3504f3), vec4i(0x4ab504f3), small);
}

// m - 1.
fn log_fraction_vec4(bits: vec4i) -> vec4f {
  return bitcast<vec4f>((bits & vec4i(0x007fffff)) + vec4i(0x3f3504f3)) - 1.0;
}

// f - log(1 + f): small against f, which can so be added last.
fn log_rest_vec4(f: vec4f) -> vec4f {
  let s = f / (2.0 + f);
  let z = s * s;
  let half = 0.5 * f * f;
  return half - s * (half + z * (0.66666776 + z * (0.3997758 + z * 0.2987093)));
}

// y, but for x = 0 (-inf), x < 0 (NaN), and x = inf or NaN (x itself).
fn log_limits_vec4(x: vec4f, y: vec4f) -> vec4f {
  let outside = bitcast<vec4f>(select(vec4u(0x7fc00000u), vec4u(0xff800000u), x == vec4f()));
  return select(select(x, y, x <= vec4f(largest)), outside, x <= vec4f());
}

fn log_vec4(x: vec4f) -> vec4f {
  let bits = log_bits_vec4(x);
  let n = vec4f(bits >> vec4u(23u));
  let f = log_fraction_vec4(bits);
  return log_limits_vec4(x, n * ln2_high + (f - (log_rest_vec4(f) - n * ln2_low)));
}

fn log2_vec4(x: vec4f) -> vec4f {
  let bits = log_bits_vec4(x);
  let f = log_fraction_vec4(bits);
  return log_limits_vec4(x, vec4f(bits >> vec4u(23u)) + (f - log_rest_vec4(f)) * log2_of_e);
}

// log(1 + x) for x >= 0, with what rounding 1 + x lost. NaN for x < -1.
fn log_beyond_1_vec4(x: vec4f) -> vec4f {
  let y = 1.0 + x;
  let bits = log_bits_vec4(y);
  let n = vec4f(bits >> vec4u(23u));
  let f = log_fraction_vec4(bits);
  return log_limits_vec4(y, n * ln2_high + (f - ((log_rest_vec4(f) - n * ln2_low) - (x - (y - 1.0)) / y)));
}

// log(a + √(a² + 1)), which is log(2a) for large a.
fn asinh_vec4(x: vec4f) -> vec4f {
  let a = abs(x);
  let large = a > vec4f(1.0e9);
  let beyond = select(a + a * a / (1.0 + sqrt(a * a + 1.0)), a, large);
  return with_sign_vec4(log_beyond_1_vec4(beyond) + select(vec4f(), vec4f(0.6931472), large), x);
}

fn acosh_vec4(x: vec4f) -> vec4f {
  let t = x - 1.0;
  let large = x > vec4f(1.0e9);
  let beyond = select(t + sqrt(t) * sqrt(x + 1.0), x, large);
  return log_beyond_1_vec4(beyond) + select(vec4f(), vec4f(0.6931472), large);
}

fn atanh_vec4(x: vec4f) -> vec4f {
  let a = abs(x);
  return with_sign_vec4(0.5 * log_beyond_1_vec4(2.0 * a / (1.0 - a)), x);
}

// 2^(y·log2 x), log2 x in two pieces: the product has up to 7 bits before the point, and 24 are wanted behind it.
fn pow_vec4(x: vec4f, y: vec4f) -> vec4f {
  let bits = log_bits_vec4(x);
  let n = vec4f(bits >> vec4u(23u));
  let f = log_fraction_vec4(bits);
  // s = f / (2 + f) in two pieces, the second from the remainder of the first.
  let inverse = 1.0 / (2.0 + f);
  let s_high = leading_vec4(f * inverse);
  let d_high = leading_vec4(2.0 + f);
  let s_low = ((f - s_high * d_high) - s_high * (f - (d_high - 2.0))) * inverse;
  // log2 m = 2/ln 2 · (s + s³/3 + …) with 2/ln 2 = 2.8857421875 - 0.000352….
  let t = s_high + s_low;
  let z = t * t;
  let cubic = t * z * (0.9617967 + z * (0.5770788 + z * (0.41192725 + z * 0.33649075)));
  let first = 2.8857421875 * s_high;
  let sum = n + first;
  let low = (first - (sum - n)) + ((2.88539 * s_low + cubic) - 0.0003521057 * s_high);
  let high = leading_vec4(sum + low);
  // The product, again in two pieces.
  let y_high = leading_vec4(y);
  let v_high = y_high * high;
  let v_low = (y - y_high) * high + y * ((sum - high) + low);
  let shifted = (v_high + v_low) + integer;
  let power = exp2_fraction_vec4((v_high - (shifted - integer)) + v_low);
  // 2ⁿ in two factors, so that results at both ends of the range round as they should.
  let exponent = bitcast<vec4i>(shifted) - vec4i(0x4b400000);
  let half = exponent >> vec4u(1u);
  let result = scale_vec4(power, half) * scale_vec4(vec4f(1.0), exponent - half);
  let v = y * log_limits_vec4(x, sum + low);
  let limited = select(select(v * largest, result, v <= vec4f(160.0)), vec4f(), v < vec4f(-160.0));
  return select(limited, vec4f(1.0), y == vec4f());
}

// x - n·π/2. Products with the first three pieces, 11 bits each, are exact for |n| < 2¹³.
fn turned_vec4(x: vec4f, n: vec4f) -> vec4f {
  return (((x - n * 1.5703125) - n * 0.0004837512969970703) - n * 7.549533620476723e-8) - n * 2.5633440682570896e-12;
}

// sin r and, below, cos r for |r| <= π/4.
fn sin_near_vec4(r: vec4f) -> vec4f {
  let w = r * r;
  return r + r * w * (-0.16666655 + w * (0.008332187 - w * 0.00019517897));
}

fn cos_near_vec4(r: vec4f) -> vec4f {
  let w = r * r;
  return (1.0 - 0.5 * w) + w * w * (0.041666653 + w * (-0.001388761 + w * 2.446175e-5));
}

// sin(x + ahead·π/2).
fn sin_ahead_vec4(x: vec4f, ahead: vec4u) -> vec4f {
  let t = select(x * 0.0, x, abs(x) <= vec4f(4194304.0));
  let shifted = t * two_over_pi + integer;
  let r = turned_vec4(t, shifted - integer);
  let quarter = bitcast<vec4u>(shifted) + ahead;
  let y = select(sin_near_vec4(r), cos_near_vec4(r), (quarter & vec4u(1u)) != vec4u());
  return bitcast<vec4f>(bitcast<vec4u>(y) ^ ((quarter & vec4u(2u)) << vec4u(30u)));
}

fn sin_vec4(x: vec4f) -> vec4f {
  return sin_ahead_vec4(x, vec4u());
}

fn cos_vec4(x: vec4f) -> vec4f {
  return sin_ahead_vec4(x, vec4u(1u));
}

fn tan_vec4(x: vec4f) -> vec4f {
  let t = select(x * 0.0, x, abs(x) <= vec4f(4194304.0));
  let shifted = t * two_over_pi + integer;
  let r = turned_vec4(t, shifted - integer);
  let s = sin_near_vec4(r);
  let c = cos_near_vec4(r);
  let odd = (bitcast<vec4u>(shifted) & vec4u(1u)) != vec4u();
  return select(s, -c, odd) / select(c, s, odd);
}

// For 0 <= a <= 1/2 asin a, beyond asin √((1 - a) / 2), which is half of acos a.
fn asin_part_vec4(a: vec4f) -> vec4f {
  let far = a > vec4f(0.5);
  let w = select(a * a, 0.5 - 0.5 * a, far);
  let t = select(a, sqrt(w), far);
  let q = 0.045469772 + w * (0.024180774 + w * 0.042166412);
  return t + t * w * (0.16666752 + w * (0.074953064 + w * q));
}

fn asin_vec4(x: vec4f) -> vec4f {
  let a = abs(x);
  let p = asin_part_vec4(a);
  return with_sign_vec4(select(p, 2.0 * quarter_pi - (2.0 * p - 2.0 * quarter_pi_low), a > vec4f(0.5)), x);
}

fn acos_vec4(x: vec4f) -> vec4f {
  let far = abs(x) > vec4f(0.5);
  let left = x < vec4f();
  let p = asin_part_vec4(abs(x));
  let rest = select(-p, 2.0 * p, far);
  let eighths = select(vec4f(2.0), select(vec4f(), vec4f(4.0), left), far);
  return eighths * quarter_pi + (eighths * quarter_pi_low + select(rest, -rest, left));
}

// atan(small / large) for 0 <= small <= large, then with the quadrants undone: π/2 - that where `steep`, π - that where
// `left`. Beyond tan π/8 the angle to π/4 is taken, whose tangent is (small - large) / (small + large).
fn angle_vec4(small: vec4f, large: vec4f, steep: vec4<bool>, left: vec4<bool>) -> vec4f {
  let diagonal = small > 0.41421356 * large;
  let t = select(small, small - large, diagonal) / select(large, small + large, diagonal);
  let w = t * t;
  let p = t + t * w * (-0.3333295 + w * (0.19977728 + w * (-0.13877799 + w * 0.08053956)));
  let first = select(vec4f(), vec4f(1.0), diagonal);
  let second = select(first, 2.0 - first, steep);
  let eighths = select(second, 4.0 - second, left);
  let rest = select(p, -p, steep);
  return eighths * quarter_pi + (eighths * quarter_pi_low + select(rest, -rest, left));
}

fn atan_vec4(x: vec4f) -> vec4f {
  let a = abs(x);
  let steep = a > vec4f(1.0);
  let y = angle_vec4(select(a, vec4f(1.0), steep), select(vec4f(1.0), a, steep), steep, vec4<bool>());
  return with_sign_vec4(y, x);
}

fn atan2_vec4(y: vec4f, x: vec4f) -> vec4f {
  let a = abs(x);
  let b = abs(y);
  let steep = b > a;
  // Sums must be finite, and 0 / 0 be 0 / 1. Of infinities only their number counts.
  let factor = select(vec4f(1.0), vec4f(0.25), max(a, b) > vec4f(1.0e38));
  let small = factor * select(b, a, steep);
  let large = factor * select(a, b, steep);
  let infinite = large > vec4f(largest);
  let of_infinite = select(small * 0.0, vec4f(1.0), small > vec4f(largest));
  let divisor = select(large, vec4f(1.0), infinite | (large == vec4f()));
  let left = bitcast<vec4i>(x) < vec4i();
  return with_sign_vec4(angle_vec4(select(small, of_infinite, infinite), divisor, steep, left), y);
}

fn fract_vec4(x: vec4f) -> vec4f {
  return x - floor(x);
}

fn sign_vec4(x: vec4f) -> vec4f {
  return select(x, with_sign_vec4(vec4f(1.0), x), abs(x) > vec4f());
}
