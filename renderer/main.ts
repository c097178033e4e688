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

const app = createApp(App).use(createPinia()).use(router)
// The view that the address names is being fetched, and what it will ask is asked, while the frame around it is built.
setTimeout(() => {
  ahead.askAhead(aheadOf(router.resolve(location.hash.slice(1) || '/')))
  app.mount('#app')
  // By then the view is there and has taken them, or could not be fetched, which the router tells.
  Promise.all([router.isReady(), ahead.settled()])
    .catch(() => undefined)
    .finally(() => setTimeout(() => ahead.forget()))
})
