/** @file Entry point of the window. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { ahead } from './client.ts'
import { aheadOf } from './navigation.ts'
import { router } from './router.ts'
import './styles/tokens.css'
import './styles/base.css'
import '../evals/document/charts/drawing.css'

// What the view of the address will ask goes before its code, which takes every connection of the browser.
ahead.askAhead(aheadOf(router.resolve(location.hash.slice(1) || '/')))
const app = createApp(App).use(createPinia()).use(router)
// The view is being fetched while the frame around it is built.
setTimeout(() => {
  app.mount('#app')
  // By then the view is there and has taken them, or could not be fetched, which the router tells.
  Promise.all([router.isReady(), ahead.settled()])
    .catch(() => undefined)
    .finally(() => setTimeout(() => ahead.forget()))
})
