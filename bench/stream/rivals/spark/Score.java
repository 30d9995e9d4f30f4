// The same scoring as weir's, on Spark Structured Streaming in one JVM: at least once, as its Kafka sink
// is, the linear model embedded.
//
//   Score BROKERS GROUP INPUT OUTPUT MODEL.json RECORDS STATE_DIR
//
// Micro-batches run one after the other until all that was there at the start is answered. There is
// no interval between commits: each batch is one.

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF3;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.streaming.Trigger;
import org.apache.spark.sql.types.DataTypes;

public final class Score {
  // A function of columns: Spark's generated code calls it with the bytes as they came, where
  // mapPartitions would make an object of each row first.
  private record Scoring(Linear model) implements UDF3<byte[], Integer, Long, byte[]> {
    private static final ThreadLocal<Linear.Scorer> scorer = new ThreadLocal<>();

    @Override
    public byte[] call(byte[] value, Integer partition, Long offset) throws Exception {
      Linear.Scorer mine = scorer.get();
      if (mine == null) scorer.set(mine = new Linear.Scorer(model));
      return mine.score(value, partition, offset);
    }
  }

  public static void main(String[] args) throws Exception {
    SparkSession spark =
        SparkSession.builder()
            .appName("score")
            .master("local[2]") // one a core
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.warehouse.dir", args[6] + "/warehouse")
            .getOrCreate();
    spark.sparkContext().setLogLevel("ERROR");

    Dataset<Row> input =
        spark
            .readStream()
            .format("kafka")
            .option("kafka.bootstrap.servers", args[0])
            .option("subscribe", args[2])
            .option("startingOffsets", "earliest")
            // Without it ("rate limit on maximum number of offsets processed per trigger interval", the
            // Kafka integration guide) all that is there is one batch. A batch of this size takes about a
            // second, most of which is work and not its planning, its tasks and its two small files.
            .option("maxOffsetsPerTrigger", "200000")
            .load();
    UserDefinedFunction score = udf(new Scoring(Linear.read(args[4])), DataTypes.BinaryType);
    input
        .select(
            col("key"), score.apply(col("value"), col("partition"), col("offset")).as("value"))
        .writeStream()
        .format("kafka")
        .option("kafka.bootstrap.servers", args[0])
        .option("topic", args[3])
        .option("kafka.acks", "all")
        .option("kafka.compression.type", "lz4")
        // As for Kafka Streams, with the same source.
        .option("kafka.linger.ms", "100")
        .option("kafka.batch.size", "200000")
        .option("checkpointLocation", args[6] + "/checkpoint")
        // It ends by itself, in "(possibly) multiple micro-batches" (Structured Streaming Programming
        // Guide, Triggers); they follow each other at once, as with the default trigger.
        .trigger(Trigger.AvailableNow())
        .start()
        .awaitTermination();
    spark.stop();
    System.exit(0);
  }
}
