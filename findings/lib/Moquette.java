import io.moquette.broker.Server;
import java.io.File;

/** Moquette with the configuration file given. */
public final class Moquette {
  public static void main(final String[] args) throws Exception {
    new Server().startServer(new File(args[0]));
    Thread.currentThread().join();
  }
}
