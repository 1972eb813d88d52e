import java.awt.image.BufferedImage;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;

/*
 * Pictures to pre-train on that nobody had to take or to label: fractals, a class for each random
 * iterated function system, after Kataoka et al., "Pre-training without Natural Images"
 * (arXiv:2101.08515).
 *
 *     java examples/Fractals.java DIR CLASSES IMAGES SIDE
 *
 * writes DIR/<class>/<number>.png, gray, SIDE pixels a side. The same arguments, the same pictures.
 */
void main(String[] args) {
  if (args.length != 4) {
    IO.println("Usage: java examples/Fractals.java DIR CLASSES IMAGES SIDE");
    System.exit(2);
  }
  Path folder = Path.of(args[0]);
  int images = Integer.parseInt(args[2]);
  int side = Integer.parseInt(args[3]);
  IntStream.range(0, Integer.parseInt(args[1])).parallel().forEach(label -> {
    SplittableRandom random = new SplittableRandom(label);
    double[][] maps = maps(random, side);
    try {
      Path target = Files.createDirectories(folder.resolve("%04d".formatted(label)));
      for (int i = 0; i < images; i++) {
        BufferedImage picture = draw(vary(maps, random), side, random);
        ImageIO.write(picture, "png", target.resolve(i + ".png").toFile());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  });
}

/**
 * Affine maps {a, b, c, d, e, f} whose attractor fills at least a quarter of the picture: two turns
 * with a contraction of both axes between them, as Anderson and Farrell draw them (arXiv:2110.00091).
 */
double[][] maps(SplittableRandom random, int side) {
  while (true) {
    double[][] maps = new double[random.nextInt(2, 6)][];
    for (int i = 0; i < maps.length; i++) {
      double first = random.nextDouble(2 * Math.PI);
      double second = random.nextDouble(2 * Math.PI);
      double s = random.nextDouble(0.3, 0.9);
      double t = random.nextDouble(0.1, s) * (random.nextBoolean() ? 1 : -1);
      maps[i] = new double[] {
        s * Math.cos(first) * Math.cos(second) - t * Math.sin(first) * Math.sin(second),
        -s * Math.cos(first) * Math.sin(second) - t * Math.sin(first) * Math.cos(second),
        s * Math.sin(first) * Math.cos(second) + t * Math.cos(first) * Math.sin(second),
        -s * Math.sin(first) * Math.sin(second) + t * Math.cos(first) * Math.cos(second),
        random.nextDouble(-1, 1),
        random.nextDouble(-1, 1)
      };
    }
    int filled = 0;
    for (int density : density(maps, side, random)) {
      filled += density > 0 ? 1 : 0;
    }
    if (filled > side * side / 4) {
      return maps;
    }
  }
}

/** One number of each map made up to a quarter smaller or larger. */
double[][] vary(double[][] maps, SplittableRandom random) {
  double[][] varied = new double[maps.length][];
  for (int i = 0; i < maps.length; i++) {
    varied[i] = maps[i].clone();
    varied[i][random.nextInt(6)] *= random.nextDouble(0.75, 1.25);
  }
  return varied;
}

/** How often a point that jumps by a random map each time falls on each pixel. */
int[] density(double[][] maps, int side, SplittableRandom random) {
  int points = 8 * side * side;
  double[] xs = new double[points];
  double[] ys = new double[points];
  double x = 0;
  double y = 0;
  for (int i = -20; i < points; i++) {
    double[] m = maps[random.nextInt(maps.length)];
    double next = m[0] * x + m[1] * y + m[4];
    y = m[2] * x + m[3] * y + m[5];
    x = next;
    if (!(Math.abs(x) + Math.abs(y) < 1e6)) { // the maps do not contract
      return new int[side * side];
    }
    if (i >= 0) {
      xs[i] = x;
      ys[i] = y;
    }
  }
  // A few points are far from the others: what one in a hundred reaches is left out on each side.
  double[] columns = Arrays.stream(xs).sorted().toArray();
  double[] rows = Arrays.stream(ys).sorted().toArray();
  int edge = points / 100;
  double left = columns[edge];
  double top = rows[edge];
  double size = Math.max(columns[points - edge] - left, rows[points - edge] - top) + 1e-9;
  int[] density = new int[side * side];
  for (int i = 0; i < points; i++) {
    int column = (int) Math.floor((xs[i] - left) / size * side);
    int row = (int) Math.floor((ys[i] - top) / size * side);
    if (row >= 0 && row < side && column >= 0 && column < side) {
      density[row * side + column]++;
    }
  }
  return density;
}

/** The density as gray, turned or mirrored at random. */
BufferedImage draw(double[][] maps, int side, SplittableRandom random) {
  int[] density = density(maps, side, random);
  double most = Math.log1p(Arrays.stream(density).max().orElseThrow());
  BufferedImage picture = new BufferedImage(side, side, BufferedImage.TYPE_BYTE_GRAY);
  int turn = random.nextInt(8);
  for (int row = 0; row < side; row++) {
    for (int column = 0; column < side; column++) {
      int r = (turn & 1) == 0 ? row : side - 1 - row;
      int c = (turn & 2) == 0 ? column : side - 1 - column;
      int at = (turn & 4) == 0 ? r * side + c : c * side + r;
      double gray = most == 0 ? 0 : 255 * Math.log1p(density[at]) / most;
      picture.getRaster().setSample(column, row, 0, (int) gray);
    }
  }
  return picture;
}
