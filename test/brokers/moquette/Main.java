import io.moquette.broker.Server;
import java.io.File;

/** Moquette with the configuration file given. Ends in order on SIGTERM. */
public final class Main {
  public static void main(final String[] args) throws Exception {
    final Server broker = new Server();
    try {
      broker.startServer(new File(args[0]));
    } catch (final Exception e) { // its threads would go on without it
      e.printStackTrace();
      System.exit(1);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(broker::stopServer));
    Thread.currentThread().join();
  }
}
