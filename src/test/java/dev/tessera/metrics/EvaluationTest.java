package dev.tessera.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.metrics.ConfusionMatrix.Cell;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/**
 * By hand, and against scikit-learn 1.9: {@code accuracy_score}, {@code top_k_accuracy_score},
 * {@code log_loss}, {@code precision_recall_fscore_support} with {@code zero_division=0} and {@code
 * confusion_matrix} of the same 60 answers among 7 classes, one of which never occurs.
 */
class EvaluationTest {
  private static final Offset<Double> EXACT = within(1e-14);
  private static final int COUNT = 60;
  private static final int CLASSES = 7;

  private static Evaluation sixtyAnswers() {
    Evaluation evaluation = new Evaluation(CLASSES);
    for (int i = 0; i < COUNT; i++) {
      float[] logits = new float[CLASSES];
      for (int k = 0; k < CLASSES; k++) {
        logits[k] = (i * 7 + k * k * 3 + i * k) % 11 * 0.5f + k / 128f;
      }
      evaluation.add((i * 5 + i / 7) % 6, logits);
    }
    return evaluation;
  }

  @Test
  void accuracyAndLossAreThoseOfScikitLearn() {
    Evaluation evaluation = sixtyAnswers();
    assertThat(evaluation.count()).isEqualTo(COUNT);
    assertThat(evaluation.top1()).isEqualTo(0.1);
    assertThat(evaluation.top5()).isEqualTo(40 / 60.0);
    assertThat(evaluation.loss()).isCloseTo(2.957442022764512, EXACT);
  }

  @Test
  void confusionIsThatOfScikitLearn() {
    long[][] expected = {
      {1, 4, 2, 2, 0, 3, 5},
      {1, 1, 0, 2, 0, 2, 2},
      {1, 1, 1, 1, 0, 1, 3},
      {1, 2, 1, 1, 0, 2, 2},
      {1, 2, 1, 2, 0, 1, 2},
      {1, 0, 1, 2, 0, 2, 3},
      {0, 0, 0, 0, 0, 0, 0}
    };
    ConfusionMatrix matrix = sixtyAnswers().confusion();
    for (int truth = 0; truth < CLASSES; truth++) {
      for (int predicted = 0; predicted < CLASSES; predicted++) {
        assertThat(matrix.count(truth, predicted))
            .as("%d taken for %d", truth, predicted)
            .isEqualTo(expected[truth][predicted]);
      }
    }
    assertThat(matrix.mistakes(3))
        .containsExactly(new Cell(0, 6, 5), new Cell(0, 1, 4), new Cell(0, 5, 3));
  }

  @Test
  void scoresOfClassesAreThoseOfScikitLearn() {
    double[] precision = {1 / 6.0, 0.1, 1 / 6.0, 0.1, 0, 2 / 11.0, 0};
    double[] recall = {1 / 17.0, 1 / 8.0, 1 / 8.0, 1 / 9.0, 0, 2 / 9.0, 0};
    double[] f1 = {2 / 23.0, 1 / 9.0, 1 / 7.0, 2 / 19.0, 0, 0.2, 0};
    List<ClassScores> scores = sixtyAnswers().confusion().present();
    assertThat(scores).hasSize(CLASSES);
    for (int i = 0; i < CLASSES; i++) {
      assertThat(scores.get(i).precision()).as("precision of %d", i).isEqualTo(precision[i]);
      assertThat(scores.get(i).recall()).as("recall of %d", i).isEqualTo(recall[i]);
      assertThat(scores.get(i).f1()).as("F1 of %d", i).isCloseTo(f1[i], EXACT);
    }
    assertThat(scores)
        .extracting(ClassScores::support)
        .containsExactly(17L, 8L, 8L, 9L, 9L, 9L, 0L);
    assertThat(ClassScores.macro(scores, ClassScores::precision))
        .isCloseTo(0.10216450216450215, EXACT);
    assertThat(ClassScores.macro(scores, ClassScores::recall))
        .isCloseTo(0.09173669467787114, EXACT);
    assertThat(ClassScores.macro(scores, ClassScores::f1)).isCloseTo(0.09231256194316018, EXACT);
    assertThat(ClassScores.weighted(scores, ClassScores::precision))
        .isCloseTo(0.12505050505050505, EXACT);
    assertThat(ClassScores.weighted(scores, ClassScores::recall)).isCloseTo(0.1, EXACT);
    assertThat(ClassScores.weighted(scores, ClassScores::f1)).isCloseTo(0.10428958870606467, EXACT);
  }

  /** The reference is a plain loop in numpy over np.linspace(0, 1, 16). */
  @Test
  void calibrationIsThatOfTheDefinition() {
    Calibration calibration = sixtyAnswers().calibration();
    assertThat(calibration.expectedError()).isCloseTo(0.3536801105471598, EXACT);
    assertThat(calibration.maximumError()).isCloseTo(0.5718635749850851, EXACT);
    assertThat(calibration.confidence()).isCloseTo(0.4536801105471598, EXACT);
  }

  @Test
  void anAnswerHasItsProbabilities() {
    Evaluation evaluation = new Evaluation(3);
    float half = (float) Math.log(2);
    Evaluation.Answer answer = evaluation.add(1, new float[] {half, 0, 0});
    assertThat(answer.predicted()).isZero();
    assertThat(answer.confidence()).isCloseTo(0.5, within(1e-7));
    assertThat(answer.truthScore()).isCloseTo(0.25, within(1e-7));
    assertThat(evaluation.loss()).isCloseTo(Math.log(4), within(1e-7));
  }

  @Test
  void hugeLogitsDoNotOverflow() {
    Evaluation evaluation = new Evaluation(2);
    Evaluation.Answer answer = evaluation.add(1, new float[] {3e38f, -3e38f});
    assertThat(answer.confidence()).isEqualTo(1);
    assertThat(answer.truthScore()).isZero();
    assertThat(evaluation.loss()).isGreaterThan(1e38).isFinite();
  }

  @Test
  void withFiveClassesTheRightOneIsAlwaysAmongFive() {
    Evaluation evaluation = new Evaluation(5);
    evaluation.add(4, new float[] {5, 4, 3, 2, 1});
    assertThat(evaluation.top1()).isZero();
    assertThat(evaluation.top5()).isEqualTo(1);
  }

  @Test
  void ofEqualScoresTheLowerIndexIsBetter() {
    Evaluation first = new Evaluation(6);
    assertThat(first.add(0, new float[6]).predicted()).isZero();
    assertThat(first.top1()).isEqualTo(1);
    Evaluation last = new Evaluation(6);
    last.add(5, new float[6]);
    assertThat(last.top1()).isZero();
    assertThat(last.top5()).isZero();
    last.add(4, new float[6]);
    assertThat(last.top5()).isEqualTo(0.5);
  }

  @Test
  void nothingWasCounted() {
    Evaluation evaluation = new Evaluation(4);
    assertThat(evaluation.top1()).isZero();
    assertThat(evaluation.loss()).isZero();
    assertThat(evaluation.calibration().expectedError()).isZero();
    assertThat(evaluation.confusion().present()).isEmpty();
    assertThat(ClassScores.macro(List.of(), ClassScores::f1)).isZero();
  }

  @Test
  void whatIsNoNumberIsRefused() {
    Evaluation evaluation = new Evaluation(2);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> evaluation.add(0, new float[] {0, Float.NaN}))
        .withMessage("the logit of class 1 is NaN");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> evaluation.add(0, new float[3]))
        .withMessage("3 logits for 2 classes");
    assertThat(evaluation.count()).isZero();
  }

  @Test
  void aBinHoldsItsUpperBound() {
    Calibration calibration = new Calibration(4);
    calibration.add(0, false);
    calibration.add(0.25, true);
    calibration.add(0.26, true);
    calibration.add(1, true);
    assertThat(calibration.bins())
        .extracting(Calibration.Bin::count)
        .containsExactly(2L, 1L, 0L, 1L);
    Calibration.Bin bin = calibration.bins().getFirst();
    assertThat(bin.confidence()).isEqualTo(0.125);
    assertThat(bin.accuracy()).isEqualTo(0.5);
    assertThat(bin.low()).isZero();
    assertThat(bin.high()).isEqualTo(0.25);
    // |1 - 0.25| + |1 - 0.26| + 0 over four answers.
    assertThat(calibration.expectedError()).isCloseTo((0.75 + 0.74) / 4, EXACT);
    assertThat(calibration.maximumError()).isCloseTo(0.74, EXACT);
    assertThatIllegalArgumentException().isThrownBy(() -> calibration.add(1.01, true));
    assertThatIllegalArgumentException().isThrownBy(() -> calibration.add(Double.NaN, true));
  }
}
