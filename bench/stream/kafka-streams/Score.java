// The same scoring as weir's, on Kafka Streams: exactly once, the linear model embedded.
//
//   Score BROKERS APPLICATION_ID INPUT OUTPUT MODEL.json RECORDS STATE_DIR
//
// Ends by itself, and cleanly, once RECORDS records have been processed: close() commits the last
// transaction. Its settings differ from the defaults of Kafka Streams where a comment says why.

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.io.NumberOutput;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.RecordMetadata;

public final class Score {
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
          .build();

  private static final LongAdder processed = new LongAdder();

  private record Model(String[] features, double[] coefficients, double intercept, long version) {
    static Model read(String path) throws IOException {
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
      return new Model(
          features.toArray(String[]::new),
          coefficients.stream().mapToDouble(Double::doubleValue).toArray(),
          intercept,
          version);
    }
  }

  private static final class Scorer implements FixedKeyProcessor<byte[], byte[], byte[]> {
    private final Model model;
    private final String[] features;
    private final double[] row;
    private final StringBuilder text = new StringBuilder(160);
    private FixedKeyProcessorContext<byte[], byte[]> context;

    Scorer(Model model) {
      this.model = model;
      features = model.features();
      row = new double[features.length];
    }

    @Override
    public void init(FixedKeyProcessorContext<byte[], byte[]> context) {
      this.context = context;
    }

    @Override
    public void process(FixedKeyRecord<byte[], byte[]> record) {
      try {
        parse(record.value());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      double prediction = model.intercept();
      double[] coefficients = model.coefficients();
      for (int j = 0; j < row.length; j++) prediction += coefficients[j] * row[j];
      context.forward(record.withValue(write(prediction, context.recordMetadata().orElseThrow())));
      processed.increment();
    }

    // By name, each exactly once; the order of the model is the likely one and tried first.
    private void parse(byte[] value) throws IOException {
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
      for (int j = 0; j < features.length; j++) {
        if (features[j].equals(name)) return j;
      }
      return -1;
    }

    private byte[] write(double prediction, RecordMetadata place) {
      text.setLength(0);
      // Shortest digits, as weir writes; Java 17's own Double.toString is slower.
      text.append("{\"prediction\": ").append(NumberOutput.toString(prediction, true));
      text.append(", \"model\": ").append(model.version());
      text.append(", \"epoch\": ").append(model.version());
      text.append(", \"partition\": ").append(place.partition());
      text.append(", \"offset\": ").append(place.offset()).append('}');
      return text.toString().getBytes(StandardCharsets.ISO_8859_1);
    }
  }

  public static void main(String[] args) throws Exception {
    Model model = Model.read(args[4]);
    long records = Long.parseLong(args[5]);

    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[1]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, args[6]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100); // also the default of exactly_once_v2
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2); // one for each core
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    // The default that Kafka Streams gives its producers ("linger.ms: 100", Kafka's documentation,
    // Configuring a Streams Application, Default Values), and in the range of the next line's source.
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
    // "batch.size: increase to 100000-200000 (default 16384)": Confluent's tutorial How to optimize a
    // Kafka producer for throughput.
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 200_000);

    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(args[2], Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
        .processValues(() -> new Scorer(model))
        .to(args[3], Produced.with(Serdes.ByteArray(), Serdes.ByteArray()));

    int status = 0;
    try (KafkaStreams streams = new KafkaStreams(builder.build(), settings)) {
      streams.setUncaughtExceptionHandler(
          error -> {
            error.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
          });
      streams.start();
      while (processed.sum() < records && streams.state() != KafkaStreams.State.ERROR) {
        Thread.sleep(5);
      }
      if (processed.sum() < records || !streams.close(Duration.ofSeconds(60))) status = 1;
    }
    System.out.println("{\"records\": " + processed.sum() + "}");
    System.exit(status);
  }
}
