import com.hivemq.embedded.EmbeddedHiveMQ;
import java.nio.file.Path;

/** HiveMQ CE in the directory given, where conf/config.xml lies. */
public final class HiveMq {
  public static void main(final String[] args) throws Exception {
    final Path directory = Path.of(args[0]);
    EmbeddedHiveMQ.builder()
        .withConfigurationFolder(directory.resolve("conf"))
        .withDataFolder(directory.resolve("data"))
        .withExtensionsFolder(directory.resolve("extensions"))
        .build()
        .start()
        .get();
    Thread.currentThread().join();
  }
}
