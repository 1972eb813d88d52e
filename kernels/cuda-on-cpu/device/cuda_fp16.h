// Halves, of which kernels convert from and to floats only.
#pragma once

struct half {
  _Float16 value;
  half() = default;
  half(float x) : value(static_cast<_Float16>(x)) {}
  operator float() const { return static_cast<float>(value); }
};
typedef half __half;

static inline half __float2half(float x) { return half(x); }
static inline float __half2float(half x) { return x; }
