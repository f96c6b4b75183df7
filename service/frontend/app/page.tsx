export default function HomePage() {
  return <main><h1>Chatbot</h1><a href="/chat">Open the chat</a> <a href="/about">About</a></main>;
}
