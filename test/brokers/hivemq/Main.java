import com.hivemq.embedded.EmbeddedHiveMQ;
import java.nio.file.Path;

/** HiveMQ CE in the directory given: conf/config.xml, data and extensions lie there. Ends in order on SIGTERM. */
public final class Main {
  public static void main(final String[] args) throws Exception {
    final Path directory = Path.of(args[0]);
    final EmbeddedHiveMQ broker =
        EmbeddedHiveMQ.builder()
            .withConfigurationFolder(directory.resolve("conf"))
            .withDataFolder(directory.resolve("data"))
            .withExtensionsFolder(directory.resolve("extensions"))
            .build();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    broker.stop().get();
                  } catch (final Exception e) {
                    e.printStackTrace();
                  }
                }));
    broker.start().get();
    Thread.currentThread().join();
  }
}
