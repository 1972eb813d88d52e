/**
 * Image files to model input: decoding, orientation, resampling and preprocessing.
 *
 * <p>The yardstick is Python's Pillow, because it prepared the pictures that published checkpoints
 * were trained on: a file must give the pixels that {@code
 * ImageOps.exif_transpose(Image.open(file)).convert("RGB")} gives, and a resize must give the bytes
 * that {@code Image.resize} gives. Headers are checked before they are believed, so that a hostile
 * file is refused before anything of the size it claims is allocated.
 *
 * <p>Libraries decode where their result is that of Pillow: TwelveMonkeys lossless WebP, the JDK
 * fax compression inside TIFF, Commons Imaging PCX and Photoshop files. The other formats are
 * decoded here: ImageIO converts samples on the way, lets truncated files pass, interpolates chroma
 * differently, and loads a tenth of a second's worth of classes first. {@link
 * dev.tessera.image.Decoder} says which class reads what.
 */
@NullMarked
package dev.tessera.image;

import org.jspecify.annotations.NullMarked;
