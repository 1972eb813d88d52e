package dev.tessera.data;

import org.jspecify.annotations.Nullable;

/**
 * One image and what it shows.
 *
 * @param id tells it from all others of its data set: its path below the data set's folder, or the
 *     part and its number there, such as {@code train#17}
 * @param label index of its class
 * @param group images of one group resemble each other and belong to the same part of a split; null
 *     where the data set says nothing about that
 */
public record LabelledImage(String id, ImageSource source, int label, @Nullable String group) {}
