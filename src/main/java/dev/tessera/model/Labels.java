package dev.tessera.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the outputs of a classifier mean, as configs of {@code transformers} say it. */
final class Labels {
  private Labels() {}

  static void put(Map<String, @Nullable Object> config, List<String> labels) {
    Map<String, Object> names = new LinkedHashMap<>();
    Map<String, Object> indices = new LinkedHashMap<>();
    for (int i = 0; i < labels.size(); i++) {
      names.put(Integer.toString(i), labels.get(i));
      indices.put(labels.get(i), i);
    }
    config.put("id2label", names);
    config.put("label2id", indices);
    config.remove("num_labels");
  }
}
