package dev.tessera.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class TensorTest {
  @Test
  void widensHalfPrecisionExactly() {
    MemorySegment half = Arena.ofAuto().allocate(6);
    short[] bits = {0x3c00, (short) 0xc100, 0x0001}; // 1, -2.5, the smallest subnormal
    MemorySegment.copy(bits, 0, half, ValueLayout.JAVA_SHORT_UNALIGNED, 0, 3);
    assertThat(new Tensor(DType.F16, Shape.of(3), half).toFloats())
        .containsExactly(1f, -2.5f, 0x1p-24f);
    short[] brain = {0x3f80, (short) 0xc020, 0x0001}; // 1, -2.5, 2^-133
    MemorySegment.copy(brain, 0, half, ValueLayout.JAVA_SHORT_UNALIGNED, 0, 3);
    assertThat(new Tensor(DType.BF16, Shape.of(3), half).toFloats())
        .containsExactly(1f, -2.5f, 0x1p-133f);
  }

  @Test
  void slicesAndReshapesWithoutCopying() {
    Tensor tensor = Tensor.of(Shape.of(3, 2), 0f, 1, 2, 3, 4, 5);
    assertThat(tensor.slice(1, 3).toFloats()).containsExactly(2, 3, 4, 5);
    assertThat(tensor.slice(1, 3).shape()).isEqualTo(Shape.of(2, 2));
    assertThat(tensor.reshape(Shape.of(6)).data().address()).isEqualTo(tensor.data().address());
  }

  @Test
  void readsUnsignedBytesAndIntegers() {
    assertThat(Tensor.of(Shape.of(2), (byte) 255, (byte) 1).toLongs()).containsExactly(255, 1);
    assertThat(Tensor.of(Shape.of(2), -7L, 1L << 40).toLongs()).containsExactly(-7, 1L << 40);
  }

  @Test
  void refusesBytesThatDoNotFitTheShape() {
    assertThatThrownBy(() -> new Tensor(DType.F32, Shape.of(3), Arena.ofAuto().allocate(8)))
        .hasMessageContaining("needs 12 bytes, got 8");
  }

  @Test
  void allocatesOnCacheLines() {
    assertThat(Tensor.allocate(Arena.ofAuto(), DType.F32, Shape.of(5)).data().address() % 64)
        .isZero();
  }
}
