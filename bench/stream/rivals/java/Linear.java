// The model, the parsing of a record and the writing of a prediction, as all rivals in Java share them.

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.io.NumberOutput;
import java.io.File;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

public record Linear(String[] features, double[] coefficients, double intercept, long version)
    implements Serializable {
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER).build();

  public static Linear read(String path) throws IOException {
    List<String> features = new ArrayList<>();
    List<Double> coefficients = new ArrayList<>();
    double intercept = 0;
    long version = 0;
    try (JsonParser json = JSON.createParser(new File(path))) {
      json.nextToken();
      for (String name; (name = json.nextFieldName()) != null; ) {
        json.nextToken();
        switch (name) {
          case "features" -> {
            while (json.nextToken() != JsonToken.END_ARRAY) features.add(json.getText());
          }
          case "coefficients" -> {
            while (json.nextToken() != JsonToken.END_ARRAY) coefficients.add(json.getDoubleValue());
          }
          case "intercept" -> intercept = json.getDoubleValue();
          case "version" -> version = json.getLongValue();
          default -> json.skipChildren();
        }
      }
    }
    return new Linear(
        features.toArray(String[]::new),
        coefficients.stream().mapToDouble(Double::doubleValue).toArray(),
        intercept,
        version);
  }

  // Of one thread: its row and its text are used again for each record.
  public static final class Scorer {
    private final Linear model;
    private final double[] row;
    private final StringBuilder text = new StringBuilder(160);

    public Scorer(Linear model) {
      this.model = model;
      row = new double[model.features.length];
    }

    public byte[] score(byte[] value, int partition, long offset) throws IOException {
      parse(value);
      double prediction = model.intercept;
      double[] coefficients = model.coefficients;
      for (int j = 0; j < row.length; j++) prediction += coefficients[j] * row[j];
      return write(prediction, partition, offset);
    }

    // By name, each exactly once; the order of the model is the likely one and tried first.
    private void parse(byte[] value) throws IOException {
      String[] features = model.features;
      long seen = 0;
      int next = 0;
      try (JsonParser json = JSON.createParser(value)) {
        if (json.nextToken() != JsonToken.START_OBJECT) throw new IOException("no object");
        for (String name; (name = json.nextFieldName()) != null; next++) {
          int j = next < features.length && features[next].equals(name) ? next : indexOf(name);
          if (j < 0 || (seen & 1L << j) != 0) throw new IOException("unexpected " + name);
          if (!json.nextToken().isNumeric()) throw new IOException(name + " is no number");
          row[j] = json.getDoubleValue();
          seen |= 1L << j;
        }
      }
      if (next != features.length) throw new IOException("a feature is missing");
    }

    private int indexOf(String name) {
      for (int j = 0; j < model.features.length; j++) {
        if (model.features[j].equals(name)) return j;
      }
      return -1;
    }

    private byte[] write(double prediction, int partition, long offset) {
      text.setLength(0);
      // Shortest digits, as weir writes; Java 17's own Double.toString is slower.
      text.append("{\"prediction\": ").append(NumberOutput.toString(prediction, true));
      text.append(", \"model\": ").append(model.version);
      text.append(", \"epoch\": ").append(model.version);
      text.append(", \"partition\": ").append(partition);
      text.append(", \"offset\": ").append(offset).append('}');
      return text.toString().getBytes(StandardCharsets.ISO_8859_1);
    }
  }
}
