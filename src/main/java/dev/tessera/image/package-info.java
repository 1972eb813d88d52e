/**
 * Image files to model input: decoding, orientation, resampling and preprocessing.
 *
 * <p>The yardstick is Python's Pillow, because it prepared the pictures that published checkpoints
 * were trained on: a file must give the pixels that {@code
 * ImageOps.exif_transpose(Image.open(file)).convert("RGB")} gives, and a resize must give the bytes
 * that {@code Image.resize} gives. The library readers (the JDK's JPEG, GIF and TIFF readers,
 * TwelveMonkeys' WebP reader, Commons Imaging for the rarer formats) are therefore asked for raw
 * samples, and the conversions are made here. Headers are checked here first, so that a hostile file
 * is refused before anything of the size it claims is allocated.
 */
@NullMarked
package dev.tessera.image;

import org.jspecify.annotations.NullMarked;
