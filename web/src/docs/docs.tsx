export function Docs() { return <h1>API</h1>; }
