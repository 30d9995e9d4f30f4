// The same scoring as weir's, on Flink's DataStream in one JVM: exactly once, the linear model embedded.
//
//   Score BROKERS GROUP INPUT OUTPUT MODEL.json RECORDS STATE_DIR
//
// The source is bounded by where the topic ends now, unless RECORDS is 0; the last checkpoint commits the
// last transaction.

import java.io.IOException;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;

public final class Score {
  // What goes from operator to operator; they are chained, so that nothing is serialized in between.
  public static final class Message {
    byte[] key;
    byte[] value;
    int partition;
    long offset;
  }

  private static final class Reading implements KafkaRecordDeserializationSchema<Message> {
    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Message> out) {
      Message message = new Message();
      message.key = record.key();
      message.value = record.value();
      message.partition = record.partition();
      message.offset = record.offset();
      out.collect(message);
    }

    @Override
    public TypeInformation<Message> getProducedType() {
      return TypeInformation.of(Message.class);
    }
  }

  private static final class Scoring extends RichMapFunction<Message, Message> {
    private final Linear model;
    private transient Linear.Scorer scorer;

    Scoring(Linear model) {
      this.model = model;
    }

    @Override
    public void open(OpenContext context) {
      scorer = new Linear.Scorer(model);
    }

    @Override
    public Message map(Message message) throws IOException {
      message.value = scorer.score(message.value, message.partition, message.offset);
      return message;
    }
  }

  private record Writing(String topic) implements KafkaRecordSerializationSchema<Message> {
    @Override
    public ProducerRecord<byte[], byte[]> serialize(
        Message message, KafkaSinkContext context, Long timestamp) {
      return new ProducerRecord<>(topic, message.key, message.value);
    }
  }

  public static void main(String[] args) throws Exception {
    StreamExecutionEnvironment flow =
        StreamExecutionEnvironment.createLocalEnvironment(2, new Configuration()); // one a core
    // A transaction lasts from checkpoint to checkpoint: this is the interval of the commits.
    flow.enableCheckpointing(100, CheckpointingMode.EXACTLY_ONCE);
    // "enableObjectReuse … to reduce garbage-collection pressure": Flink's documentation, Execution
    // Configuration.
    flow.getConfig().enableObjectReuse();

    KafkaSourceBuilder<Message> source =
        KafkaSource.<Message>builder()
            .setBootstrapServers(args[0])
            .setGroupId(args[1])
            .setTopics(args[2])
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setDeserializer(new Reading());
    if (Long.parseLong(args[5]) > 0) source.setBounded(OffsetsInitializer.latest());
    Properties settings = new Properties();
    settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
    // As for Kafka Streams, with the same source.
    settings.put(ProducerConfig.LINGER_MS_CONFIG, "100");
    settings.put(ProducerConfig.BATCH_SIZE_CONFIG, "200000");
    // Its default, an hour, is more than a broker allows.
    settings.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, "60000");
    // Each new transaction registers the same metrics again, with a warning; nobody looks at them.
    settings.put("flink.disable-metrics", "true");
    KafkaSink<Message> sink =
        KafkaSink.<Message>builder()
            .setBootstrapServers(args[0])
            .setKafkaProducerConfig(settings)
            .setRecordSerializer(new Writing(args[3]))
            .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .setTransactionalIdPrefix(args[1])
            .build();
    flow.fromSource(source.build(), WatermarkStrategy.noWatermarks(), "read")
        .map(new Scoring(Linear.read(args[4])))
        .returns(Message.class)
        .sinkTo(sink);
    flow.execute("score");
    System.exit(0);
  }
}
