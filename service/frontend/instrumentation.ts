/**
 * Runs once when the server starts. When the server is told to stop, it takes no new connection and lets open
 * answers run to their end; but the proxy keeps idle connections for later, and each would hold the process up
 * until it timed out. So, from then on, a connection is closed as soon as it has nothing more to say.
 */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { Server } = await import("node:http");
  const close = Server.prototype.close;
  Server.prototype.close = function closeWithoutIdleConnections(callback) {
    const closing = close.call(this, callback);
    const sweeping = setInterval(() => this.closeIdleConnections(), 100);
    this.once("close", () => clearInterval(sweeping));
    return closing;
  };
}
