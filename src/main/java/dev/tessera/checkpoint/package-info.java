/** Reading and writing checkpoints: safetensors, Hugging Face directories, parameter names. */
@NullMarked
package dev.tessera.checkpoint;

import org.jspecify.annotations.NullMarked;
