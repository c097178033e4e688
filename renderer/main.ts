/** @file Entry point of the window. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { router } from './router.ts'
import './styles/tokens.css'
import './styles/base.css'
import '../evals/document/charts/drawing.css'

const app = createApp(App).use(createPinia()).use(router)
// The view that the address names is being fetched while the frame around it is built.
setTimeout(() => app.mount('#app'))
