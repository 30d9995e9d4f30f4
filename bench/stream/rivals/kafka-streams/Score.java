// The same scoring as weir's, on Kafka Streams, the linear model embedded: exactly once, or as the
// system property score.guarantee says (at_least_once).
//
//   Score BROKERS APPLICATION_ID INPUT OUTPUT MODEL.json RECORDS STATE_DIR
//
// Ends by itself, and cleanly, once RECORDS records have been processed, but for 0: close() commits the
// last transaction. Its settings differ from the defaults of Kafka Streams where a comment says why.

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
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
  private static final LongAdder processed = new LongAdder();

  private static final class Scorer implements FixedKeyProcessor<byte[], byte[], byte[]> {
    private final Linear.Scorer scorer;
    private FixedKeyProcessorContext<byte[], byte[]> context;

    Scorer(Linear model) {
      scorer = new Linear.Scorer(model);
    }

    @Override
    public void init(FixedKeyProcessorContext<byte[], byte[]> context) {
      this.context = context;
    }

    @Override
    public void process(FixedKeyRecord<byte[], byte[]> record) {
      RecordMetadata place = context.recordMetadata().orElseThrow();
      try {
        byte[] answer = scorer.score(record.value(), place.partition(), place.offset());
        context.forward(record.withValue(answer));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      processed.increment();
    }
  }

  public static void main(String[] args) throws Exception {
    Linear model = Linear.read(args[4]);
    long records = Long.parseLong(args[5]);

    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[1]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, args[6]);
    settings.put(
        StreamsConfig.PROCESSING_GUARANTEE_CONFIG,
        System.getProperty("score.guarantee", StreamsConfig.EXACTLY_ONCE_V2));
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
      while ((records == 0 || processed.sum() < records) && streams.state() != KafkaStreams.State.ERROR) {
        Thread.sleep(5);
      }
      if (processed.sum() < records || !streams.close(Duration.ofSeconds(60))) status = 1;
    }
    System.out.println("{\"records\": " + processed.sum() + "}");
    System.exit(status);
  }
}
