package dev.tessera.engine.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReasonTest {
  @Test
  void isWhatTheInnermostLayerSays() {
    String red = "\u001b[31m";
    String message =
        red
            + "Bailout is disabled. \nReason: "
            + red
            + "Unable to compile s0.t3\u001b[0m\nThe internal error is: none\nStacktrace: [a, b]";
    assertThat(Reason.of(new IllegalStateException(message))).isEqualTo("Unable to compile s0.t3");
    assertThat(Reason.of(new IllegalStateException("\n no room \nat all"))).isEqualTo("no room");
  }

  @Test
  void isTheKindWhereNothingIsSaid() {
    assertThat(Reason.of(new IllegalStateException())).isEqualTo("IllegalStateException");
    assertThat(Reason.of(new IllegalStateException("\u001b[31m \n")))
        .isEqualTo("IllegalStateException");
  }
}
