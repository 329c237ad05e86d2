// Intrinsics, which else are only in half.h and weight_units.h: sums of products of bytes and comparison masks have no spelling in the
// compiler's vector extensions.
// vpdpbusd does four times the work of a float32 fused multiply-add in the same cycle (measured on Zen 4).
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__wasm__)
#include <wasm_simd128.h>
#endif

#include "vector.h"

namespace provably::PROVABLY_TARGET {

typedef uint8_t Bytes __attribute__((vector_size(4 * kLanes)));
typedef int8_t SignedBytes __attribute__((vector_size(4 * kLanes)));

#if defined(__AVX512VNNI__)

// sum + Σ of the four products of an unsigned byte and a signed byte in each lane; exact, modulo 2³².
inline Ints addByteProducts(Ints sum, Ints unsignedBytes, Ints signedBytes) {
  return reinterpret_cast<Ints>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(unsignedBytes),
                                                    reinterpret_cast<__m512i>(signedBytes)));
}

// One bit per lane with value ≥ bar; none for NaN.
inline uint32_t lanesReaching(Floats values, Floats bar) { return _mm512_cmp_ps_mask(values, bar, _CMP_GE_OQ); }

#elif defined(__AVX512BW__)

// The same for unsigned bytes ≤ 128 and signed ones above −128: sums of two products then fit 16 bits.
inline Ints addByteProducts(Ints sum, Ints unsignedBytes, Ints signedBytes) {
  const __m512i pairs = _mm512_maddubs_epi16(reinterpret_cast<__m512i>(unsignedBytes), reinterpret_cast<__m512i>(signedBytes));
  return sum + reinterpret_cast<Ints>(_mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}

#elif defined(__AVX2__)

inline Ints addByteProducts(Ints sum, Ints unsignedBytes, Ints signedBytes) {
  const __m256i pairs = _mm256_maddubs_epi16(reinterpret_cast<__m256i>(unsignedBytes), reinterpret_cast<__m256i>(signedBytes));
  return sum + reinterpret_cast<Ints>(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#elif defined(__x86_64__)

// Where lanes hold four bytes each, products may also go to another lane of the vector: only the sum over lanes is as above.
inline Ints addByteProducts(Ints sum, Ints unsignedBytes, Ints signedBytes) {
  const __m128i u = reinterpret_cast<__m128i>(unsignedBytes), s = reinterpret_cast<__m128i>(signedBytes), zero = _mm_setzero_si128();
  const __m128i sign = _mm_cmpgt_epi8(zero, s);
  const __m128i low = _mm_madd_epi16(_mm_unpacklo_epi8(u, zero), _mm_unpacklo_epi8(s, sign));
  const __m128i high = _mm_madd_epi16(_mm_unpackhi_epi8(u, zero), _mm_unpackhi_epi8(s, sign));
  return sum + reinterpret_cast<Ints>(_mm_add_epi32(low, high));
}

#elif defined(__wasm__)

inline Ints addByteProducts(Ints sum, Ints unsignedBytes, Ints signedBytes) {
  const v128_t u = reinterpret_cast<v128_t>(unsignedBytes), s = reinterpret_cast<v128_t>(signedBytes);
  const v128_t low = wasm_i32x4_dot_i16x8(wasm_u16x8_extend_low_u8x16(u), wasm_i16x8_extend_low_i8x16(s));
  const v128_t high = wasm_i32x4_dot_i16x8(wasm_u16x8_extend_high_u8x16(u), wasm_i16x8_extend_high_i8x16(s));
  return sum + reinterpret_cast<Ints>(wasm_i32x4_add(low, high));
}

#else

// Products of unsigned bytes ≤ 128 fit 16 bits.
inline Ints addByteProducts(Ints sum, Ints unsignedBytes, Ints signedBytes) {
  typedef int16_t Shorts __attribute__((vector_size(8 * kLanes)));
  typedef int32_t Wide __attribute__((vector_size(16 * kLanes)));
  const Shorts products = __builtin_convertvector(reinterpret_cast<Bytes>(unsignedBytes), Shorts) *
                          __builtin_convertvector(reinterpret_cast<SignedBytes>(signedBytes), Shorts);
  const Wide wide = __builtin_convertvector(products, Wide);
  Ints parts[4];
  __builtin_memcpy(parts, &wide, sizeof parts);
  return sum + ((parts[0] + parts[1]) + (parts[2] + parts[3]));
}

#endif

// Lane by lane like addByteProducts for two signed bytes, both above −128 or the first −128.
inline Ints addSignedProducts(Ints sum, SignedBytes a, SignedBytes b) {
  const SignedBytes negative = a < 0;
  const SignedBytes size = (a ^ negative) - negative, turned = (b ^ negative) - negative;
  return addByteProducts(sum, reinterpret_cast<Ints>(size), reinterpret_cast<Ints>(turned));
}

}  // namespace provably::PROVABLY_TARGET
