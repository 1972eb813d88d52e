package uk.ac.manchester.tornado.api.types;

/** A number of 16 bits as IEEE 754 has it: 11 significant bits, at most 65 504. */
public class HalfFloat {
  private final short bits;

  public HalfFloat(float halfFloat) {
    bits = Float.floatToFloat16(halfFloat);
  }

  public HalfFloat(short halfFloat) {
    bits = halfFloat;
  }

  /** The bits. */
  public short getHalfFloatValue() {
    return bits;
  }

  public float getFloat32() {
    return Float.float16ToFloat(bits);
  }
}
