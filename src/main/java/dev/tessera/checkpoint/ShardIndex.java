package dev.tessera.checkpoint;

import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code model.safetensors.index.json}: which shard holds which tensor. */
final class ShardIndex {
  private final Path index;

  ShardIndex(Path index) {
    this.index = index;
  }

  /** Opens every shard into {@code files} and gathers the tensors that the index lists. */
  void open(List<Safetensors> files, Map<String, Tensor> tensors, Map<String, String> unreadable)
      throws IOException {
    Map<String, @Nullable Object> weightMap =
        Json.object(Json.readObject(index).get("weight_map"), "weight_map", index);
    Map<String, Safetensors> shards = new LinkedHashMap<>();
    for (Map.Entry<String, @Nullable Object> entry : weightMap.entrySet()) {
      String name = entry.getKey();
      if (!(entry.getValue() instanceof String shardName)) {
        throw new CheckpointException(
            index,
            "gives "
                + Json.describe(entry.getValue())
                + " as the shard of \""
                + name
                + "\" but a file name is expected; download it again");
      }
      Safetensors shard = shards.get(shardName);
      if (shard == null) {
        shard = Safetensors.open(shard(shardName));
        files.add(shard);
        shards.put(shardName, shard);
      }
      Tensor tensor = shard.tensors().get(name);
      String dtype = shard.unreadable().get(name);
      if (tensor != null) {
        tensors.put(name, tensor);
      } else if (dtype != null) {
        unreadable.put(name, dtype);
      } else {
        throw new CheckpointException(
            index,
            "says that \""
                + name
                + "\" is in "
                + shardName
                + ", which does not hold it; download index and shards again");
      }
    }
  }

  private Path shard(String name) throws CheckpointException {
    // Only a plain name beside the index is a shard: the index must not reach other files.
    if (!name.matches("[^/\\\\:\0]+\\.safetensors")) {
      throw new CheckpointException(
          index,
          "names the shard "
              + Json.describe(name)
              + ", which is no plain .safetensors file name; download it again from a trusted source");
    }
    Path shard = index.resolveSibling(name);
    if (!Files.exists(shard)) {
      throw new CheckpointException(
          shard, "is missing but " + index.getFileName() + " lists it; download all shards");
    }
    return shard;
  }
}
