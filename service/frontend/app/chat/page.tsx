export default function ChatPage() {
  return <main><h1>Chat</h1></main>;
}
