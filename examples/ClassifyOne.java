// Says what one image shows. After `mvn -B package`, with MODEL a model folder as Hugging Face publishes it:
//
//   java --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
//        -cp src/target/tessera.jar examples/ClassifyOne.java MODEL IMAGE

import dev.tessera.model.ImageClassifier;
import dev.tessera.model.Prediction;

void main(String[] args) throws IOException {
  try (ImageClassifier classifier = ImageClassifier.open(Path.of(args[0]))) {
    for (Prediction prediction : classifier.classify(Path.of(args[1]), 5)) {
      IO.println("%5.1f%%  %s".formatted(100 * prediction.score(), prediction.label()));
    }
  }
}
