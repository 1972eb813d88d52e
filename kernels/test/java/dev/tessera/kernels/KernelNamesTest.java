package dev.tessera.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.KernelContext;

/** TornadoVM gives a kernel the name of its method, and OpenCL has names of its own. */
class KernelNamesTest {
  private static final List<Class<?>> KERNELS =
      List.of(
          Activations.class,
          Adam.class,
          Attention.class,
          AttentionBackward.class,
          CrossEntropy.class,
          Dropout.class,
          Elementwise.class,
          Embedding.class,
          Gemm.class,
          HalfPrecision.class,
          L2Norm.class,
          LayerNorm.class,
          Reductions.class,
          RmsNorm.class,
          Sgd.class,
          Softmax.class,
          SquaredError.class,
          TiledAttentionBackward.class);

  /** The built-in functions of OpenCL C 1.2 with plain names, and C's keywords that Java lacks. */
  private static final Set<String> TAKEN =
      Set.of(
          ("abs abs_diff acos acosh acospi add_sat all any as_float asin asinh asinpi atan atan2 atanh atan2pi"
                  + " atanpi barrier bitselect cbrt ceil clamp clz convert_float copysign cos cosh cospi cross"
                  + " degrees distance dot erf erfc exp exp10 exp2 expm1 fabs fdim floor fma fmax fmin fmod"
                  + " fract frexp hadd hypot ilogb isequal isfinite isgreater isinf isless isnan isnormal"
                  + " ldexp length lgamma log log10 log1p log2 logb mad mad24 mad_hi mad_sat max mem_fence"
                  + " min mix modf mul24 mul_hi nan nextafter normalize popcount pow pown powr prefetch"
                  + " printf radians remainder remquo rhadd rint rootn rotate round rsqrt select shuffle"
                  + " sign signbit sin sincos sinh sinpi smoothstep sqrt step sub_sat tan tanh tanpi tgamma"
                  + " trunc upsample vec_step vload vstore auto constant extern global half image inline"
                  + " kernel local pipe private read_only register restrict signed sizeof struct typedef"
                  + " uniform union unsigned write_only")
              .split(" ", -1));

  @Test
  void noKernelHasANameThatOpenClHas() {
    Set<String> names = new TreeSet<>();
    for (Class<?> type : KERNELS) {
      for (Method method : type.getDeclaredMethods()) {
        boolean isKernel =
            Modifier.isPublic(method.getModifiers())
                && List.of(method.getParameterTypes()).contains(KernelContext.class);
        if (isKernel) {
          names.add(method.getName());
        }
      }
    }
    assertThat(names).hasSizeGreaterThan(30).doesNotContainAnyElementsOf(TAKEN);
  }
}
